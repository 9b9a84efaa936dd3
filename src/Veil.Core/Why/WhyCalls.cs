// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Kernel;

namespace Veil.Core.Why;

/// <summary>What is known of calls by their names: what they wait for.</summary>
internal static class WhyCalls
{
    // enum why_call
    private const uint Descriptor = 1, Polled = 2, Value = 3;

    /// <summary>Tells the programs what the first argument of each call is.</summary>
    public static void Tell(BpfHashMap<uint, uint> calls)
    {
        foreach (var arch in SyscallTable.OfThisMachine)
        {
            var table = SyscallTable.For(arch);
            foreach (string name in table.Names)
            {
                if (table.TryGetNumber(name, out int number) && KindOf(name, SyscallParameters.Of(arch, number)) is not 0 and var kind)
                    calls.Set(((uint)arch << 16) | ((uint)number & 0xffff), kind);
            }
        }
    }

    /// <summary>Waits for a lock, or a condition.</summary>
    public static bool IsLock(string call) => call.StartsWith("futex", StringComparison.Ordinal);

    /// <summary>Waits for nothing but time, or a signal.</summary>
    public static bool IsSleep(string call) => call is "nanosleep" or "clock_nanosleep" or "clock_nanosleep_time64" or "pause" or "rt_sigsuspend"
        or "rt_sigtimedwait" or "rt_sigtimedwait_time64" or "sigsuspend";

    /// <summary>Waits for a set of descriptors that is kept in the kernel.</summary>
    public static bool IsEpoll(string call) => call.StartsWith("epoll_", StringComparison.Ordinal);

    /// <summary>Waits for a list of descriptors.</summary>
    public static bool IsPoll(string call) => call is "poll" or "ppoll" or "ppoll_time64";

    /// <summary>Waits for a list of descriptors that is written otherwise.</summary>
    public static bool IsSelect(string call) => call is "select" or "_newselect" or "pselect6" or "pselect6_time64";

    /// <summary>Waits for a child to end.</summary>
    public static bool IsChild(string call) => call is "wait4" or "waitid" or "waitpid" or "vfork";

    /// <summary>Waits to be rid of what it writes; the others wait for something to come.</summary>
    public static bool IsWrite(string call) => call is "write" or "writev" or "pwrite64" or "pwritev" or "pwritev2" or "sendto" or "sendmsg" or "sendmmsg"
        or "sendfile" or "sendfile64";

    /// <summary>Waits for somebody to ask for something, as threads do that have nothing to do.</summary>
    public static bool IsIdle(string call) =>
        IsSleep(call) || IsEpoll(call) || IsPoll(call) || IsSelect(call) || call is "accept" or "accept4" or "io_uring_enter" or "io_getevents";

    private static uint KindOf(string name, ReadOnlySpan<SyscallParameter> parameters) => name switch
    {
        _ when IsPoll(name) => Polled,
        _ when IsLock(name) || IsChild(name) => Value,
        _ when parameters is [var first, ..] && first.Name is "fd" or "sockfd" or "epfd" or "in_fd" or "out_fd" or "fd_in" or "fdin" => Descriptor,
        _ => 0,
    };
}
