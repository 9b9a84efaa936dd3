// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Why;

/// <summary>The time of a thread.</summary>
/// <param name="Tid">The thread.</param>
/// <param name="Ns">All of it, as long as it was there.</param>
/// <param name="OnCpuNs">On a CPU.</param>
/// <param name="RunnableNs">Waiting for one.</param>
/// <param name="IsIdle">It only waited to be given work.</param>
public sealed record WhyThread(uint Tid, ulong Ns, ulong OnCpuNs, ulong RunnableNs, bool IsIdle)
{
    // A thread that runs for less than this part of the time is idle, if it waited for nothing in particular.
    private const ulong RanPart = 1000;

    /// <summary>Of the times of one thread.</summary>
    public static WhyThread Of(IReadOnlyList<WhyRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ulong onCpu = WhyAnswer.Sum(rows.Where(static row => row.Key.State <= WhyState.Kernel));
        ulong runnable = WhyAnswer.Sum(rows.Where(static row => row.Key.State == WhyState.Runnable));
        ulong all = WhyAnswer.Sum(rows);
        bool isIdle = (onCpu + runnable) * RanPart <= all && rows.All(static row => row.Key.State <= WhyState.Runnable || IsForWork(row));
        return new WhyThread(rows[0].Key.Tid, all, onCpu, runnable, isIdle);
    }

    // What a thread of a pool waits in, or one that others wake up.
    private static bool IsForWork(WhyRow row)
    {
        if (row.Key.State == WhyState.Other)
            return true;
        if (row.Key.State != WhyState.Blocked)
            return false;
        string call = row.Key.Call;
        bool isOwn = row.Peer == row.Key.Pid || (row.Object?.Contains("anon_inode:", StringComparison.Ordinal) ?? false);
        bool isForOther = row.Peer != 0 || (row.Object?.Contains(" -> ", StringComparison.Ordinal) ?? false);
        return isOwn || (WhyCalls.IsLock(call) ? row.Holder == 0 : WhyCalls.IsIdle(call) && !isForOther);
    }
}
