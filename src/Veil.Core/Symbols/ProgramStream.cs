// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Veil.Bpf;
using Veil.Core.Interop;

namespace Veil.Core.Symbols;

/// <summary>Opens programs, libraries and what belongs to them, which may be anything.</summary>
internal static class ProgramStream
{
    // include/uapi/asm-generic/fcntl.h; without waiting: a FIFO would wait for a writer.
    private const int ReadOnlyNonBlockingCloexec = 0x80800;

    /// <summary>Opens a file as a stream that can seek.</summary>
    /// <exception cref="ElfException">It is not there, must not be read, or is not a regular file.</exception>
    public static FileStream Open(string path, string? root = null)
    {
        int fd = root is null ? LibC.Open(path, ReadOnlyNonBlockingCloexec) : OpenBelow(root, path);
        if (fd < 0)
            throw new ElfException(Explain(Marshal.GetLastPInvokeError()));
        var handle = new SafeFileHandle(fd, ownsHandle: true);
        try
        {
            if (LibC.TypeOf(fd) == LibC.FileType.Directory)
                throw new ElfException("is a directory");
            var stream = new FileStream(handle, FileAccess.Read, bufferSize: 0);
            if (stream.CanSeek)
                return stream;
            throw new ElfException("is not a regular file");
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            handle.Dispose();
            throw new ElfException("cannot be read: " + cause.Message);
        }
        catch (ElfException)
        {
            handle.Dispose();
            throw;
        }
    }

    // Below /proc/PID/root an absolute symbolic link would lead to our own root: RESOLVE_IN_ROOT keeps it there (openat2(2), 5.6).
    private static unsafe int OpenBelow(string root, string path)
    {
        const int pathOnlyCloexec = 0x280000;
        const ulong resolveInRoot = 0x10;
        const int openat2 = 437;
        int folder = LibC.Open(root, pathOnlyCloexec);
        if (folder < 0)
            return -1;
        using var owner = new SafeFileHandle(folder, ownsHandle: true);
        ulong* how = stackalloc ulong[] { ReadOnlyNonBlockingCloexec, 0, resolveInRoot };
        byte[] name = [.. System.Text.Encoding.UTF8.GetBytes(path), 0];
        fixed (byte* start = name)
        {
            nint fd = LibC.Syscall(openat2, folder, (nint)start, (nint)how, 3 * sizeof(ulong), 0);
            int errno = Marshal.GetLastPInvokeError();
            owner.Dispose();
            Marshal.SetLastPInvokeError(errno);
            return (int)fd;
        }
    }

    private static string Explain(int errno)
    {
        string why = Marshal.GetPInvokeErrorMessage(errno);
        return errno == Errno.ENOENT ? "does not exist" : "cannot be opened: " + why;
    }
}
