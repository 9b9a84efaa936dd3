// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Bpf.Interop;

/// <summary>File descriptors: close, duplicate, map, perf events.</summary>
internal static unsafe partial class NativeFile
{
    internal const int F_DUPFD_CLOEXEC = 1030;
    internal const int RLIMIT_NOFILE = 7;
    internal const int RLIMIT_AS = 9;

    internal const int PROT_READ = 1;
    internal const int PROT_WRITE = 2;
    internal const int MAP_SHARED = 1;
    internal const int MAP_FIXED = 0x10;

    internal const ulong PERF_FLAG_FD_CLOEXEC = 8;

    [LibraryImport(LibraryNames.Libc)]
    internal static partial int close(int fd);

    [LibraryImport(LibraryNames.Libc)]
    internal static partial int uname(byte* names);

    [LibraryImport(LibraryNames.Libc)]
    internal static partial int getrlimit(int resource, ulong* limit);

    [LibraryImport(LibraryNames.Libc, SetLastError = true)]
    internal static partial nint read(int fd, byte* buffer, nuint count);

    [LibraryImport(LibraryNames.Libc, SetLastError = true)]
    internal static partial int fcntl(int fd, int command, int argument);

    [LibraryImport(LibraryNames.Libc, SetLastError = true)]
    internal static partial nint mmap(nint address, nuint length, int protection, int flags, int fd, nint offset);

    [LibraryImport(LibraryNames.Libc)]
    internal static partial int munmap(nint address, nuint length);

    /// <summary>perf_event_open has no wrapper in the C library.</summary>
    [LibraryImport(LibraryNames.Libc, EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint perf_event_open(nint number, PerfEventAttr* attributes, nint pid, nint cpu, nint groupFd, nuint flags);

    /// <summary>The number of perf_event_open(2); the two architectures that Veil is built for differ.</summary>
    internal static nint PerfEventOpenNumber => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 298 : 241;

    /// <summary><c>struct perf_event_attr</c> as it was first published (PERF_ATTR_SIZE_VER0, 64 bytes): every kernel takes it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct PerfEventAttr
    {
        internal uint Type;
        internal uint Size;
        internal ulong Config;
        internal ulong SamplePeriod;
        internal ulong SampleType;
        internal ulong ReadFormat;
        internal ulong Flags;
        internal uint WakeupEvents;
        internal uint BreakpointType;
        internal ulong Config1;
    }

    /// <summary>The same up to <c>clockid</c> (PERF_ATTR_SIZE_VER3, 96 bytes; Linux 4.1).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct PerfEventAttrWithClock
    {
        internal PerfEventAttr First;
        internal ulong Config2;
        internal ulong BranchSampleType;
        internal ulong SampleRegsUser;
        internal uint SampleStackUser;
        internal int ClockId;
    }
}
