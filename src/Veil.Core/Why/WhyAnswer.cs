// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Core.Text;

namespace Veil.Core.Why;

/// <summary>Where the time of a process, or of a thread, went: parts that add up to all of it.</summary>
public sealed class WhyAnswer
{
    private const int HotMax = 20;
    private const int CallersMax = 4;

    private WhyAnswer(IReadOnlyList<WhyThread> threads, IReadOnlyList<WhyShare> shares)
    {
        Threads = threads;
        Shares = shares;
    }

    /// <summary>The threads, those that ran most first.</summary>
    public IReadOnlyList<WhyThread> Threads { get; }

    /// <summary>The parts of the time of the threads that are counted, the largest first. Their tenths sum to 1000, or there is no time.</summary>
    public IReadOnlyList<WhyShare> Shares { get; }

    /// <summary>The threads that are counted: all but those that only waited for work, if there are others.</summary>
    public IEnumerable<WhyThread> Counted => Threads.All(static thread => thread.IsIdle) ? Threads : Threads.Where(static thread => !thread.IsIdle);

    /// <summary>Threads that are not counted.</summary>
    public IEnumerable<WhyThread> LeftOut => Threads.Except(Counted);

    /// <summary>The time of those that are counted.</summary>
    public ulong Ns => Counted.Aggregate(0UL, static (sum, thread) => sum + thread.Ns);

    /// <summary>The answer for a process.</summary>
    public static WhyAnswer OfProcess(WhyFound found, uint pid)
    {
        ArgumentNullException.ThrowIfNull(found);
        return Of(found, [.. found.Rows.Where(row => row.Key.Pid == pid)]);
    }

    /// <summary>The answer for one thread.</summary>
    public static WhyAnswer OfThread(WhyFound found, uint tid)
    {
        ArgumentNullException.ThrowIfNull(found);
        return Of(found, [.. found.Rows.Where(row => row.Key.Tid == tid)]);
    }

    internal static ulong Sum(IEnumerable<WhyRow> rows) => rows.Aggregate(0UL, static (sum, row) => sum + row.Ns);

    /// <summary>The shares with so many lines at most: small ones that are alike are put together.</summary>
    /// <param name="shares">All, the largest first.</param>
    /// <param name="most">Lines.</param>
    public static IReadOnlyList<WhyShare> Fold(IReadOnlyList<WhyShare> shares, int most)
    {
        ArgumentNullException.ThrowIfNull(shares);
        if (shares.Count <= most)
            return shares;
        // Half of the lines are for the largest, the others for kinds.
        var large = shares.Take(most / 2).ToList();
        var kinds = shares.Skip(most / 2).GroupBy(KindText, StringComparer.Ordinal).Select(static group => Together(group.Key, [.. group]))
            .OrderByDescending(static share => share.Ns).ToList();
        if (kinds.Count > most - large.Count)
        {
            var rest = kinds[(most - large.Count - 1)..];
            kinds.RemoveRange(most - large.Count - 1, rest.Count);
            kinds.Add(Together("", rest));
        }

        return Divide([.. large.Concat(kinds.Select(static kind => kind.Parts == 1 ? kind : kind with { Text = $"{kind.Text}{kind.Parts} others, each less" }))]);
    }

    private static WhyShare Together(string text, List<WhyShare> shares) => shares.Count == 1 ? shares[0]
        : new WhyShare(text, text.Length == 0 ? "others" : shares[0].Kind, shares.Aggregate(0UL, static (sum, share) => sum + share.Ns))
        {
            Row = shares[0].Row with { Peer = 0, Holder = 0, Object = null },
            Parts = shares.Sum(static share => share.Parts),
        };

    private static string KindText(WhyShare share) => share.Kind switch
    {
        "wait_call" or "wait_disk" => $"waiting: {share.Row.Key.Call}: ",
        _ => share.Text + ": ",
    };

    private static WhyAnswer Of(WhyFound found, IReadOnlyList<WhyRow> rows)
    {
        var threads = rows.GroupBy(static row => row.Key.Tid).Select(static thread => WhyThread.Of([.. thread]))
            .OrderByDescending(static thread => thread.OnCpuNs).ThenBy(static thread => thread.Tid).ToList();
        var answer = new WhyAnswer(threads, []);
        var counted = answer.Counted.Select(static thread => thread.Tid).ToHashSet();
        var parts = rows.Where(row => counted.Contains(row.Key.Tid)).SelectMany(row => Parts(row, found));
        var shares = parts.GroupBy(static part => part.Text, StringComparer.Ordinal).Select(group => Merge([.. group], found));
        return new WhyAnswer(threads, Divide([.. shares]));
    }

    // A row that was on a CPU outside of calls is two things, by the samples: the program itself, and the kernel that brings in its pages.
    private static IEnumerable<(string Text, string Kind, WhyRow Row)> Parts(WhyRow row, WhyFound found)
    {
        string text = TextOf(row, found), kind = KindOf(row.Key.State);
        var (faults, samples) = row.Key.State == WhyState.User ? FaultsOf(found, row.Key.Pid) : (0, 0);
        ulong inFaults = samples == 0 ? 0 : (ulong)((UInt128)row.Ns * faults / samples);
        if (inFaults > 0)
            yield return ("on CPU, in page faults: the kernel gives it memory", "on_cpu_page_fault", row with { Ns = inFaults });
        if (inFaults < row.Ns)
            yield return (text, kind, row with { Ns = row.Ns - inFaults });
    }

    private static (ulong Faults, ulong Samples) FaultsOf(WhyFound found, uint pid)
    {
        ulong faults = 0, samples = 0;
        foreach (var function in found.Functions)
        {
            if (function.Pid != pid || function.State != WhyState.User)
                continue;
            samples += function.Samples;
            faults += function.IsFault ? function.Samples : 0;
        }

        return (faults, samples);
    }

    private static WhyShare Merge(IReadOnlyList<(string Text, string Kind, WhyRow Row)> parts, WhyFound found)
    {
        var largest = parts.MaxBy(static part => part.Row.Ns)!;
        ulong ns = Sum(parts.Select(static part => part.Row));
        var row = largest.Row with { Times = parts.Aggregate(0UL, static (sum, part) => sum + part.Row.Times) };
        return new WhyShare(largest.Text, largest.Kind, ns)
        {
            Row = row,
            Functions = Hot(found, row.Key, largest.Kind, ns),
            Details = row.Key.State is WhyState.Kernel or WhyState.Runnable ? Details(parts.Select(static part => part.Row)) : [],
        };
    }

    // By the call, or by who had the CPU.
    private static List<WhyRow> Details(IEnumerable<WhyRow> rows) =>
        [.. rows.GroupBy(static row => (row.Key.ArchNumber, row.Key.Number, row.Key.Other))
            .Select(static group => new WhyRow(group.First().Key, Sum(group), group.Aggregate(0UL, static (sum, row) => sum + row.Times)))
            .OrderByDescending(static row => row.Ns)];

    // What ran: of the process, whichever of its threads did.
    private static List<WhyHot> Hot(WhyFound found, WhyKey key, string kind, ulong ns)
    {
        if (key.State > WhyState.Kernel)
            return [];
        var seen = found.Functions
            .Where(one => one.Pid == key.Pid && one.State == key.State && one.IsFault == (kind == "on_cpu_page_fault"))
            .ToList();
        ulong all = seen.Aggregate(0UL, static (sum, one) => sum + one.Samples);
        return [.. seen.GroupBy(static one => one.Frames is [var frame, ..] ? frame : ("not known", null))
            .Select(group => HotOf(group.Key, [.. group], all, ns))
            .OrderByDescending(static hot => hot.Samples).ThenBy(static hot => hot.Name, StringComparer.Ordinal).Take(HotMax)];
    }

    private static WhyHot HotOf((string Name, string? File) function, IReadOnlyList<WhyFunction> stacks, ulong all, ulong ns)
    {
        ulong samples = stacks.Aggregate(0UL, static (sum, one) => sum + one.Samples);
        var way = stacks.MaxBy(static one => one.Samples)!.Frames.Skip(1).Select(static frame => frame.Name)
            .Where(static name => !name.StartsWith("0x", StringComparison.Ordinal) && !name.StartsWith('+'));
        return new WhyHot(function.Name, function.File, samples, (ulong)((UInt128)ns * samples / all), [.. way.Take(CallersMax)]);
    }

    private static List<WhyShare> Divide(IEnumerable<WhyShare> shares)
    {
        var ordered = shares.OrderByDescending(static share => share.Ns).ThenBy(static share => share.Text, StringComparer.Ordinal).ToList();
        int[] tenths = Why.Shares.Tenths([.. ordered.Select(static share => share.Ns)]);
        return [.. ordered.Select((share, at) => share with { Tenths = tenths[at] })];
    }

    private static string KindOf(WhyState state) => state switch
    {
        WhyState.User => "on_cpu_user",
        WhyState.Kernel => "on_cpu_kernel",
        WhyState.Runnable => "wait_cpu",
        WhyState.Blocked => "wait_call",
        WhyState.Disk => "wait_disk",
        WhyState.Fault => "wait_page",
        WhyState.Stopped => "stopped",
        _ => "other",
    };

    private static string TextOf(WhyRow row, WhyFound found) => row.Key.State switch
    {
        WhyState.User => "on CPU, in its own code",
        WhyState.Kernel => "on CPU, in the kernel, for its calls",
        WhyState.Runnable => "waiting for a CPU, while others had it",
        WhyState.Fault => "waiting for a page of its memory that has to be read (page fault)",
        WhyState.Stopped => "stopped by a signal, a debugger or a frozen cgroup",
        WhyState.Other => "waiting outside of calls",
        _ => Wait(row, found),
    };

    private static string Wait(WhyRow row, WhyFound found)
    {
        string call = CallOf(row), disk = row.Key.State == WhyState.Disk ? " (not to be interrupted: the disk, as a rule)" : "";
        string what = row.Object is { } name ? Escaping.ForMessage(name) : "";
        return call switch
        {
            _ when WhyCalls.IsLock(call) && row.Holder != 0 => $"waiting for a lock held by {ThreadName(found, row.Holder)}: {call}",
            _ when WhyCalls.IsLock(call) => $"waiting for others of its threads, or for a lock whose holder is not known: {call}",
            _ when WhyCalls.IsSleep(call) => $"sleeping by its own wish: {call}",
            _ when WhyCalls.IsChild(call) && row.Peer != 0 => $"waiting for its child {ProcessName(found, row.Peer)}: {call}",
            _ when WhyCalls.IsChild(call) => $"waiting for its children{(what.Length > 0 ? $" ({what})" : "")}: {call}",
            _ when what.Length == 0 => $"waiting: {call}{disk}",
            _ when row.Peer == row.Key.Pid => $"waiting: {call} on {what}, whose other end is its own{disk}",
            _ when row.Peer != 0 => $"waiting: {call} on {what}, of {ProcessName(found, row.Peer)}{disk}",
            _ => $"waiting: {call} on {what}{disk}",
        };
    }

    /// <summary>What a line below a share says: a call, or who had the CPU.</summary>
    internal static string DetailText(WhyFound found, WhyRow row) => row.Key.State == WhyState.Kernel ? CallOf(row) : row.Key.Other switch
    {
        WhyKey.Unknown => "not known",
        0 => "nobody: it was waking up, was moved to an idle CPU, or is limited by its cgroup",
        _ when row.Key.Other == row.Key.Pid => "its own other threads",
        _ => ProcessName(found, row.Key.Other),
    };

    private static string CallOf(WhyRow row) => row.Key.Call is { Length: > 0 } call ? call : "a call";

    internal static string ProcessName(WhyFound found, uint pid) =>
        found.Names.TryGetValue(pid, out string? name) ? $"{Escaping.ForMessage(name)} (PID {Text(pid)})" : $"process {Text(pid)}";

    internal static string ThreadName(WhyFound found, uint tid) =>
        found.Names.TryGetValue(tid, out string? name) ? $"{Escaping.ForMessage(name)} (TID {Text(tid)})" : $"thread {Text(tid)}";

    private static string Text(uint id) => id.ToString(CultureInfo.InvariantCulture);
}
