// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Bpf;

namespace Veil.Core.Interop;

/// <summary>The calls to libc that .NET has no equal of, or that must not allocate.</summary>
internal static unsafe partial class LibC
{
    public const int ClockRealtime = 0;
    public const int ClockMonotonic = 1;
    public const int ClockBoottime = 7;
    public const int SeekSet = 0;
    public const int SeekCurrent = 1;
    public const short PollIn = 1;
    public const short PollOut = 4;
    public const int EPollCloexec = 0x80000;
    public const int EPollAdd = 1;
    public const uint EPollIn = 1;
    public const uint EPollError = 8;
    public const uint EPollEdge = 1u << 31;

    private const int AtEmptyPath = 0x1000;
    public const int AtFdCwd = -100;
    private const int FGetFl = 3;
    private const int OAccMode = 3;
    private const int OAppend = 0x400;
    private const int ORdonlyCloexec = 0x80000;

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    internal static partial nint Write(int fd, byte* data, nint count);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    internal static partial int Poll(PollFd* fds, nuint count, int timeoutMs);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    internal static partial int EPollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    internal static partial int EPollControl(int epoll, int operation, int fd, void* what);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    internal static partial int EPollWait(int epoll, void* events, int count, int timeoutMs);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    internal static partial int EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    internal static partial long Seek(int fd, long offset, int from);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    internal static partial int Truncate(int fd, long size);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    internal static partial int Allocate(int fd, int mode, long offset, long length);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "getpwuid_r")]
    internal static partial int GetPwUid(uint uid, Passwd* entry, byte* buffer, nint size, Passwd** result);

    [LibraryImport("libc", EntryPoint = "getpwnam_r", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int GetPwNam(string name, Passwd* entry, byte* buffer, nint size, Passwd** result);

    [LibraryImport("libc", EntryPoint = "getgrouplist", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int GetGroupList(string name, uint gid, uint* groups, int* count);

    [LibraryImport("libc", EntryPoint = "getgrnam_r", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int GetGrNam(string name, GroupEntry* entry, byte* buffer, nint size, GroupEntry** result);

    [LibraryImport("libc", EntryPoint = "getgrgid_r")]
    internal static partial int GetGrGid(uint gid, GroupEntry* entry, byte* buffer, nint size, GroupEntry** result);

    [LibraryImport("libc", EntryPoint = "setpwent")]
    internal static partial void SetPwEnt();

    [LibraryImport("libc", EntryPoint = "getpwent")]
    internal static partial Passwd* GetPwEnt();

    [LibraryImport("libc", EntryPoint = "endpwent")]
    internal static partial void EndPwEnt();

    [LibraryImport("libc", EntryPoint = "setpriority")]
    internal static partial int SetPriority(int which, uint who, int nice);

    [LibraryImport("libc", EntryPoint = "prctl")]
    internal static partial int PrCtl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint Syscall(nint number, nint a, nint b, nint c, nint d, nint e);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Open(string path, int flags, int mode = 0);

    /// <summary>Ends the process at once, whatever its other threads do.</summary>
    [LibraryImport("libc", EntryPoint = "_exit")]
    internal static partial void ExitAtOnce(int code);

    [LibraryImport("libc", EntryPoint = "process_vm_readv", SetLastError = true)]
    internal static partial nint ProcessVmReadV(int process, IoVector* local, nuint locals, IoVector* remote, nuint remotes, nuint flags);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    internal static partial int Kill(int id, int signal);

    [LibraryImport("libc", EntryPoint = "tgkill", SetLastError = true)]
    private static partial int TgKill(int process, int thread, int signal);

    /// <summary>Is there a process or a thread of that id? Asked of the kernel, as <c>/proc</c> may hide it (kill(2), signal 0).</summary>
    public static bool IsTask(int id) => Kill(id, 0) == 0 || Marshal.GetLastPInvokeError() != Errno.ESRCH;

    /// <summary>Is there a process of that id, and not only a thread of another one (tgkill(2))?</summary>
    public static bool IsProcess(int id) => TgKill(id, id, 0) == 0 || Marshal.GetLastPInvokeError() != Errno.ESRCH;

    // struct epoll_event is packed on x86-64 alone (include/uapi/linux/eventpoll.h).
    public static int EPollDataOffset => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    public static int EPollEventBytes => EPollDataOffset + sizeof(long);

    /// <summary>What a file descriptor is.</summary>
    public static FileType TypeOf(int fd) => TryGetFacts(fd, out var facts) ? facts.Type : FileType.Unknown;

    /// <summary>What is at a path that is ended by a NUL, behind all links.</summary>
    public static FileType TypeOf(ReadOnlySpan<byte> path) => TryGetFacts(AtFdCwd, path, 0, out var facts) ? facts.Type : FileType.Unknown;

    /// <summary>How many bytes an open file has, or -1.</summary>
    public static long SizeOf(int fd) => TryGetFacts(fd, out var facts) ? facts.SizeBytes : -1;

    /// <summary>Does each write go to the end of the file, wherever that is by then?</summary>
    public static bool IsAppending(int fd) => Fcntl(fd, FGetFl, 0) is >= 0 and var flags && (flags & OAppend) != 0;

    /// <summary>The device and inode number of a file; zeros where it is not there.</summary>
    public static (ulong Device, ulong Inode) Identity(ReadOnlySpan<byte> path)
    {
        if (!TryGetFacts(AtFdCwd, path, 0, out var facts))
            return default;
        // As the kernel's own dev_t has it: MKDEV in include/linux/kdev_t.h.
        return (((ulong)facts.Major << 20) | facts.Minor, facts.Inode);
    }

    /// <summary>Can a file descriptor be written to?</summary>
    public static bool IsWritable(int fd) => Fcntl(fd, FGetFl, 0) is >= 0 and var flags && (flags & OAccMode) != 0;

    /// <summary>Is a signal set to be ignored?</summary>
    public static bool IsIgnored(int signal)
    {
        // struct sigaction of glibc begins with the handler; SIG_IGN is 1.
        nint* action = stackalloc nint[32];
        return SigAction(signal, null, action) == 0 && action[0] == 1;
    }

    /// <summary>The limit that is in force for this process (getrlimit(2)); <see cref="ulong.MaxValue"/> for none.</summary>
    public static ulong LimitOf(int resource)
    {
        ulong* limit = stackalloc ulong[2];
        return GetRLimit(resource, limit) == 0 ? limit[0] : ulong.MaxValue;
    }

    /// <summary>Can a write to it wait for somebody who takes nothing?</summary>
    public static bool MayBlock(int fd) => TypeOf(fd) is FileType.Fifo or FileType.Socket || IsTerminal(fd);

    /// <summary>The same file by a descriptor that does not wait; the same descriptor where that is refused.</summary>
    public static int ReopenNonBlocking(int fd) => OpenNonBlocking($"/proc/self/fd/{fd}") is >= 0 and var own ? own : fd;

    /// <summary>Opens a file for writes that do not wait, -1 where it cannot be.</summary>
    public static int OpenNonBlocking(string path)
    {
        const int writeOnly = 1, noControl = 0x100, nonBlock = 0x800, closeOnExec = 0x80000;
        return Open(path, writeOnly | noControl | nonBlock | closeOnExec);
    }

    /// <summary>Opens a file for writing, made where there is none; -1 and an errno where it cannot be.</summary>
    public static int OpenForWriting(string path)
    {
        const int writeOnlyCreate = 0x41, noControl = 0x100, closeOnExec = 0x80000;
        const int readAndWriteForAll = 0x1b6; // 0666, less what the umask takes
        return Open(path, writeOnlyCreate | noControl | closeOnExec, readAndWriteForAll);
    }

    /// <summary>Makes a file for writing that nobody else may read, where nothing is of that name; -1 and an errno where there is.</summary>
    public static int MakeFile(int folder, string name)
    {
        const int writeOnlyCreateExclusive = 0xc1, noControl = 0x100, closeOnExec = 0x80000;
        const int readAndWriteForOwner = 0x180; // 0600
        return OpenAt(folder, name, writeOnlyCreateExclusive | noControl | closeOnExec | s_noFollow, readAndWriteForOwner);
    }

    /// <summary>A clock's time in nanoseconds.</summary>
    public static long NowNs(int clock)
    {
        Timespec now;
        return ClockGetTime(clock, &now) == 0 ? (now.Seconds * 1_000_000_000) + now.Nanoseconds : 0;
    }

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenAt(int folder, string name, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "renameat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int RenameAt(int folder, string name, int toFolder, string toName);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Fcntl(int fd, int command, int argument);

    [LibraryImport("libc", EntryPoint = "sigaction")]
    private static partial int SigAction(int signal, nint* action, nint* before);

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetRLimit(int resource, ulong* limit);

    [LibraryImport("libc", EntryPoint = "open")]
    private static partial int Open(byte* path, int flags);

    /// <summary>Reads at a place of a file; how many bytes, or -1.</summary>
    public static nint ReadAt(int fd, Span<byte> to, long offset)
    {
        fixed (byte* data = to)
            return PRead(fd, data, to.Length, offset);
    }

    [LibraryImport("libc", EntryPoint = "pread64", SetLastError = true)]
    private static partial nint PRead(int fd, byte* data, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(int fd, byte* data, nint count);

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, Timespec* time);

    /// <summary>What kind of file.</summary>
    internal enum FileType
    {
        Unknown = 0,
        Fifo = 0x1000,
        CharacterDevice = 0x2000,
        Directory = 0x4000,
        BlockDevice = 0x6000,
        Regular = 0x8000,
        Link = 0xa000,
        Socket = 0xc000,
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct PollFd
    {
        public int Fd;
        public short Events;
        public short Returned;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Passwd
    {
        public byte* Name;
        public byte* Password;
        public uint Uid;
        public uint Gid;
        public byte* Gecos;
        public byte* Directory;
        public byte* Shell;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct GroupEntry
    {
        public byte* Name;
        public byte* Password;
        public uint Gid;
        public byte** Members;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
