// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Core.Interop;

/// <summary>The calls to libc that .NET has no equal of, or that must not allocate.</summary>
internal static unsafe partial class LibC
{
    public const int ClockRealtime = 0;
    public const int ClockBoottime = 7;
    public const int Esrch = 3;
    public const int Eintr = 4;
    public const int Eagain = 11;
    public const int Eisdir = 21;
    public const int Efbig = 27;
    public const int Enospc = 28;
    public const int Epipe = 32;
    public const int Edquot = 122;
    public const int SeekSet = 0;
    public const int SeekCurrent = 1;
    public const short PollIn = 1;
    public const short PollOut = 4;
    public const int EPollCloexec = 0x80000;
    public const int EPollAdd = 1;
    public const uint EPollIn = 1;
    public const uint EPollError = 8;
    public const uint EPollEdge = 1u << 31;

    // struct statx of include/uapi/linux/stat.h: the same on every architecture.
    private const int StatxBytes = 256;
    private const int StatxModeOffset = 28;
    private const int StatxInoOffset = 32;
    private const int StatxSizeOffset = 40;
    private const int StatxDevMajorOffset = 136;
    private const uint StatxType = 1;
    private const uint StatxIno = 0x100;
    private const uint StatxSize = 0x200;
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

    [LibraryImport("libc", EntryPoint = "getgrnam_r", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int GetGrNam(string name, GroupEntry* entry, byte* buffer, nint size, GroupEntry** result);

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

    [LibraryImport("libc", EntryPoint = "process_vm_readv", SetLastError = true)]
    internal static partial nint ProcessVmReadV(int process, IoVector* local, nuint locals, IoVector* remote, nuint remotes, nuint flags);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int id, int signal);

    [LibraryImport("libc", EntryPoint = "tgkill", SetLastError = true)]
    private static partial int TgKill(int process, int thread, int signal);

    /// <summary>Is there a process or a thread of that id? Asked of the kernel, as <c>/proc</c> may hide it (kill(2), signal 0).</summary>
    public static bool IsTask(int id) => Kill(id, 0) == 0 || Marshal.GetLastPInvokeError() != Esrch;

    /// <summary>Is there a process of that id, and not only a thread of another one (tgkill(2))?</summary>
    public static bool IsProcess(int id) => TgKill(id, id, 0) == 0 || Marshal.GetLastPInvokeError() != Esrch;

    // struct epoll_event is packed on x86-64 alone (include/uapi/linux/eventpoll.h).
    public static int EPollDataOffset => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    public static int EPollEventBytes => EPollDataOffset + sizeof(long);

    /// <summary>What a file descriptor is.</summary>
    public static FileType TypeOf(int fd)
    {
        var status = stackalloc byte[StatxBytes];
        byte empty = 0;
        return Statx(fd, &empty, AtEmptyPath, StatxType, status) == 0 ? (FileType)(*(ushort*)(status + StatxModeOffset) & 0xf000) : FileType.Unknown;
    }

    /// <summary>What is at a path that is ended by a NUL, behind all links.</summary>
    public static FileType TypeOf(ReadOnlySpan<byte> path)
    {
        var status = stackalloc byte[StatxBytes];
        fixed (byte* name = path)
            return Statx(AtFdCwd, name, 0, StatxType, status) == 0 ? (FileType)(*(ushort*)(status + StatxModeOffset) & 0xf000) : FileType.Unknown;
    }

    /// <summary>How many bytes an open file has, or -1.</summary>
    public static long SizeOf(int fd)
    {
        var status = stackalloc byte[StatxBytes];
        byte empty = 0;
        return Statx(fd, &empty, AtEmptyPath, StatxSize, status) == 0 ? *(long*)(status + StatxSizeOffset) : -1;
    }

    /// <summary>Does each write go to the end of the file, wherever that is by then?</summary>
    public static bool IsAppending(int fd) => Fcntl(fd, FGetFl, 0) is >= 0 and var flags && (flags & OAppend) != 0;

    /// <summary>The device and inode number of a file; zeros where it is not there.</summary>
    public static (ulong Device, ulong Inode) Identity(ReadOnlySpan<byte> path)
    {
        var status = stackalloc byte[StatxBytes];
        fixed (byte* name = path)
        {
            if (Statx(AtFdCwd, name, 0, StatxIno, status) != 0)
                return default;
        }

        // As the kernel's own dev_t has it: MKDEV in include/linux/kdev_t.h.
        ulong device = ((ulong)*(uint*)(status + StatxDevMajorOffset) << 20) | *(uint*)(status + StatxDevMajorOffset + 4);
        return (device, *(ulong*)(status + StatxInoOffset));
    }

    /// <summary>Can a file descriptor be written to?</summary>
    public static bool IsWritable(int fd) => Fcntl(fd, FGetFl, 0) is >= 0 and var flags && (flags & OAccMode) != 0;

    /// <summary>Is a signal set to be ignored?</summary>
    public static bool IsIgnored(int signal)
    {
        // struct sigaction of glibc begins with the handler; SIG_IGN is 1.
        var action = stackalloc nint[32];
        return SigAction(signal, null, action) == 0 && action[0] == 1;
    }

    /// <summary>The limit that is in force for this process (getrlimit(2)); <see cref="ulong.MaxValue"/> for none.</summary>
    public static ulong LimitOf(int resource)
    {
        var limit = stackalloc ulong[2];
        return GetRLimit(resource, limit) == 0 ? limit[0] : ulong.MaxValue;
    }

    /// <summary>Can a write to it wait for somebody who takes nothing?</summary>
    public static bool MayBlock(int fd) => TypeOf(fd) is FileType.Fifo or FileType.Socket || IsTerminal(fd);

    /// <summary>The same file by a descriptor that does not wait; the same descriptor where that is refused.</summary>
    public static int ReopenNonBlocking(int fd)
    {
        const int writeOnly = 1, noControl = 0x100, nonBlock = 0x800, closeOnExec = 0x80000;
        fixed (byte* path = System.Text.Encoding.UTF8.GetBytes($"/proc/self/fd/{fd}\0"))
            return Open(path, writeOnly | noControl | nonBlock | closeOnExec) is >= 0 and var own ? own : fd;
    }

    /// <summary>Opens a file for writing, made where there is none; -1 and an errno where it cannot be.</summary>
    public static int OpenForWriting(string path)
    {
        const int writeOnlyCreate = 0x41, noControl = 0x100, closeOnExec = 0x80000;
        const int readAndWriteForAll = 0x1b6; // 0666, less what the umask takes
        return OpenAndMake(path, writeOnlyCreate | noControl | closeOnExec, readAndWriteForAll);
    }

    /// <summary>Columns and rows of a terminal; zeros where it does not know them.</summary>
    public static (int Columns, int Rows) WindowSize(int fd)
    {
        const ulong tiocgwinsz = 0x5413;
        var size = stackalloc ushort[4]; // struct winsize: rows, columns, pixels
        return IoCtl(fd, tiocgwinsz, size) == 0 ? (size[1], size[0]) : default;
    }

    /// <summary>Is it a terminal?</summary>
    public static bool IsTerminal(int fd) => IsATty(fd) == 1;

    /// <summary>A clock's time in nanoseconds.</summary>
    public static long NowNs(int clock)
    {
        Timespec now;
        return ClockGetTime(clock, &now) == 0 ? (now.Seconds * 1_000_000_000) + now.Nanoseconds : 0;
    }

    [LibraryImport("libc", EntryPoint = "statx")]
    private static partial int Statx(int directory, byte* path, int flags, uint mask, byte* status);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Fcntl(int fd, int command, int argument);

    [LibraryImport("libc", EntryPoint = "sigaction")]
    private static partial int SigAction(int signal, nint* action, nint* before);

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetRLimit(int resource, ulong* limit);

    [LibraryImport("libc", EntryPoint = "isatty")]
    private static partial int IsATty(int fd);

    [LibraryImport("libc", EntryPoint = "open")]
    private static partial int Open(byte* path, int flags);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenAndMake(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int IoCtl(int fd, ulong request, void* argument);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(int fd, byte* data, nint count);

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, Timespec* time);

    internal enum FileType
    {
        Unknown = 0,
        Fifo = 0x1000,
        CharacterDevice = 0x2000,
        Directory = 0x4000,
        BlockDevice = 0x6000,
        Regular = 0x8000,
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
