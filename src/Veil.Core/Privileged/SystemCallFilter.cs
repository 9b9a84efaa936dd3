// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Core.Interop;
using Veil.Core.Kernel;

namespace Veil.Core.Privileged;

/// <summary>
/// The system calls that are left to a process (seccomp(2)), a list of what is allowed. What is not on it does not exist: ENOSYS, at which
/// libc takes its older way where it tries a newer call first. A call that is on it for some arguments alone fails by EPERM with others.
/// </summary>
internal sealed unsafe class SystemCallFilter
{
    private const ushort LoadWord = 0x20; // BPF_LD | BPF_W | BPF_ABS
    private const ushort JumpIfEqual = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    private const ushort JumpIfSet = 0x45; // BPF_JMP | BPF_JSET | BPF_K
    private const ushort Return = 0x06; // BPF_RET | BPF_K
    private const uint Allow = 0x7fff0000; // SECCOMP_RET_ALLOW
    private const uint FailNoCall = 0x00050000 | 38; // SECCOMP_RET_ERRNO, ENOSYS
    private const uint FailRefused = 0x00050000 | 1; // EPERM

    // struct seccomp_data: number, architecture, instruction pointer, six arguments; their lower halves here.
    private const uint NumberAt = 0;
    private const uint ArchitectureAt = 4;
    private const uint ArgumentsAt = 16;

    private const uint CloneThread = 0x10000;
    private const uint OpenForWriting = 3 | 0x40 | 0x200; // O_ACCMODE, O_CREAT, O_TRUNC

    // What the runtime does by itself: threads, memory, signals, the end.
    private const string Runtime =
        "futex mmap munmap mremap madvise mprotect brk membarrier rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall "
        + "sched_yield sched_getaffinity getcpu getrandom gettid getpid exit exit_group set_robust_list rseq clock_gettime " +
            "nanosleep clock_nanosleep close";

    // Events, filters, the output, the prompt and the socket; files of others are opened to read with the rights of nobody.
    private const string Reading =
        "read write readv writev pread64 lseek poll ppoll epoll_wait epoll_pwait epoll_ctl eventfd2 timerfd_create timerfd_settime pipe2 " +
            "dup dup3 fcntl flock fstat newfstatat stat lstat statx "
        + "statfs fstatfs open openat access faccessat faccessat2 readlink readlinkat getdents64 getcwd fadvise64 ftruncate fallocate " +
            "fsync fdatasync unlinkat "
        + "clock_getres gettimeofday time getuid geteuid getgid getegid getppid getpgrp getpgid getrusage times sysinfo uname prlimit64 " +
            "getpriority setpriority "
        + "rt_sigtimedwait wait4 waitid accept4 recvfrom recvmsg sendto sendmsg shutdown getsockopt getsockname getpeername";

    // Names of users, where they come from a service (nsswitch.conf), and a receiver of events.
    private const string Connecting = "socket connect setsockopt bind sendmmsg recvmmsg";

    private readonly List<ulong> _program = [];

    private SystemCallFilter()
    {
        // AUDIT_ARCH_AARCH64, AUDIT_ARCH_X86_64
        uint architecture = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0xc00000b7 : 0xc000003e;
        Add(LoadWord, ArchitectureAt);
        Add(JumpIfEqual, architecture, onTrue: 1);
        Add(Return, FailNoCall);
        Add(LoadWord, NumberAt);
    }

    /// <summary>For a trace that has attached.</summary>
    /// <param name="connects">May it have to ask for names of users, or to send to a receiver?</param>
    /// <param name="command">The command that signals are passed on to, or 0.</param>
    public static SystemCallFilter ForReader(bool connects, int command)
    {
        var filter = new SystemCallFilter();
        filter.Permit(Reading);
        filter.Permit(Runtime);
        if (connects)
            filter.Permit(Connecting);
        filter.PermitOwnThreads(command);
        // BPF_MAP_*_ELEM, _GET_NEXT_KEY, BPF_OBJ_GET_INFO_BY_FD, _LOOKUP_AND_DELETE_ELEM, the four batches, BPF_ITER_CREATE, BPF_LINK_DETACH: what works on
        // a descriptor.
        filter.PermitWith("bpf", 0, 1, 2, 3, 4, 15, 21, 24, 25, 26, 27, 33, 34);
        // TCGETS, TCSETS, TCSETSW, TCSETSF, TCSBRK, TCXONC, TCFLSH, TIOCGPGRP, TIOCGWINSZ, FIONREAD, FIONBIO, TCGETS2,
        // PERF_EVENT_IOC_DISABLE.
        filter.PermitWith(
            "ioctl", 1, 0x5401, 0x5402, 0x5403, 0x5404, 0x5409, 0x540a, 0x540b, 0x540f, 0x5413, 0x541b, 0x5421, 0x802c542a, 0x2401);
        filter.Add(Return, FailNoCall);
        return filter;
    }

    /// <summary>For the helper process.</summary>
    public static SystemCallFilter ForHelper(RootAbilities abilities)
    {
        var filter = new SystemCallFilter();
        filter.Permit("recvmsg sendmsg");
        filter.Permit(Runtime);
        if (abilities.HasFlag(RootAbilities.Paths))
            filter.Permit("statx readlinkat read");
        if (abilities.HasFlag(RootAbilities.Containers))
            filter.Permit("openat2 read fstat newfstatat statx lseek getdents64 readlink readlinkat");
        if (abilities.HasFlag(RootAbilities.Symbols))
            filter.Permit("openat2 read pread64 fstat newfstatat statx lseek");
        if (abilities.HasFlag(RootAbilities.Jit))
            filter.Permit("socket connect getsockopt sendto recvfrom poll ppoll");
        if (abilities.HasFlag(RootAbilities.Recording))
            filter.Permit("openat statx unlinkat");
        if ((abilities & (RootAbilities.ProcessNames | RootAbilities.Paths | RootAbilities.Containers | RootAbilities.Symbols)) != RootAbilities.None)
        {
            filter.PermitWithout("openat", 2, OpenForWriting);
            filter.PermitWithout("open", 1, OpenForWriting);
        }

        if (abilities.HasFlag(RootAbilities.Socket))
            filter.Permit("statx unlinkat");
        filter.PermitOwnThreads();
        filter.Add(Return, FailNoCall);
        return filter;
    }

    /// <summary>How many instructions it has.</summary>
    public int Length => _program.Count;

    /// <summary>Puts it in force for all threads of this process, for ever. It needs no_new_privs.</summary>
    public bool TryInstall(out string? refusal)
    {
        const int setModeFilter = 1; // SECCOMP_SET_MODE_FILTER
        const int allThreads = 1; // SECCOMP_FILTER_FLAG_TSYNC
        nint number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 277 : 317;
        fixed (ulong* instructions = _program.ToArray())
        {
            // struct sock_fprog
            nint* program = stackalloc nint[] { _program.Count, (nint)instructions };
            nint result = LibC.Syscall(number, setModeFilter, allThreads, (nint)program, 0, 0);
            refusal = result == 0 ? null : result > 0 ? $"thread {result} has a filter of its own" : Marshal.GetLastPInvokeErrorMessage();
            return result == 0;
        }
    }

    // Threads, but no processes; signals, but to none but ourselves. What clone3() is asked for is in memory, where a filter cannot look:
    // it is left out, and libc takes clone().
    private void PermitOwnThreads(int command = 0)
    {
        if (Begin("clone", 3))
        {
            Add(LoadWord, ArgumentsAt);
            Add(JumpIfSet, CloneThread, onFalse: 1);
            Add(Return, Allow);
            Add(Return, FailRefused);
        }

        PermitWith("kill", 0, (uint)Environment.ProcessId, command > 0 ? (uint)command : (uint)Environment.ProcessId);
        PermitWith("tgkill", 0, (uint)Environment.ProcessId);
        PermitWith("prctl", 0, 15, 0x53564d41); // PR_SET_NAME, PR_SET_VMA
    }

    private void Permit(string names)
    {
        foreach (string name in names.Split(' '))
        {
            if (SyscallTable.For(SyscallTable.Native).TryGetNumber(name, out int number))
            {
                Add(JumpIfEqual, (uint)number, onFalse: 1);
                Add(Return, Allow);
            }
        }
    }

    private void PermitWith(string name, uint argument, params ReadOnlySpan<uint> values)
    {
        if (!Begin(name, (2 * values.Length) + 1))
            return;
        Add(LoadWord, ArgumentsAt + (8 * argument));
        foreach (uint value in values)
        {
            Add(JumpIfEqual, value, onFalse: 1);
            Add(Return, Allow);
        }

        Add(Return, FailRefused);
    }

    private void PermitWithout(string name, uint argument, uint bits)
    {
        if (!Begin(name, 3))
            return;
        Add(LoadWord, ArgumentsAt + (8 * argument));
        Add(JumpIfSet, bits, onTrue: 1);
        Add(Return, Allow);
        Add(Return, FailRefused);
    }

    // The block of a call: `length` instructions and the load of an argument, jumped over for every other call.
    private bool Begin(string name, int length)
    {
        bool has = SyscallTable.For(SyscallTable.Native).TryGetNumber(name, out int number);
        if (has)
            Add(JumpIfEqual, (uint)number, onFalse: (byte)(length + 1));
        return has;
    }

    // struct sock_filter: code, jump if true, jump if false, operand; little endian.
    private void Add(ushort code, uint operand, byte onTrue = 0, byte onFalse = 0) =>
        _program.Add(code | (ulong)onTrue << 16 | (ulong)onFalse << 24 | (ulong)operand << 32);
}
