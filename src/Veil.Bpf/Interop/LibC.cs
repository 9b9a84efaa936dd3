using System.Runtime.InteropServices;

namespace Veil.Bpf.Interop;

/// <summary>The calls to libc that the binding needs beside libbpf.</summary>
internal static unsafe partial class LibC
{
    internal const int ProtRead = 1;
    internal const int ProtWrite = 2;
    internal const int MapShared = 1;

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    internal static partial nint MMap(nint address, nuint length, int protection, int flags, int fd, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    internal static partial int MUnmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "close")]
    internal static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "vsnprintf")]
    internal static partial int VSnPrintF(byte* buffer, nuint size, byte* format, nint arguments);

    internal static int PerfEventOpen(PerfEventAttributes* attributes, int pid, int cpu, int group, ulong flags)
    {
        // No wrapper of libc: the number is the architecture's.
        int number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 241 : 298;
        return (int)Syscall(number, (nint)attributes, pid, cpu, group, (nint)flags);
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Syscall(nint number, nint a, nint b, nint c, nint d, nint e);

    // The first version of struct perf_event_attr: later fields are zero for the kernel.
    [StructLayout(LayoutKind.Sequential)]
    internal struct PerfEventAttributes
    {
        public uint Type;
        public uint Size;
        public ulong Config;
        public ulong SamplePeriod;
        public ulong SampleType;
        public ulong ReadFormat;
        public ulong Flags;
        public uint WakeupEvents;
        public uint BreakpointType;
        public ulong BreakpointAddress;
    }
}
