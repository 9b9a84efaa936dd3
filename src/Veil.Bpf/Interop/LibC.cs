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
}
