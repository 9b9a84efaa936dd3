using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Veil.Modules.Uprobe;

/// <summary>Opens what a user named, which may be anything. .NET would wait for a writer where it is a FIFO.</summary>
internal static partial class OpenFile
{
    // include/uapi/asm-generic/fcntl.h
    private const int ReadOnlyNonBlockingCloexec = 0x80800;

    /// <summary>The file as a stream that can seek.</summary>
    /// <exception cref="ElfException">It is not there, must not be read, or is no regular file.</exception>
    public static FileStream ForReading(string path)
    {
        if (Directory.Exists(path))
            throw new ElfException("is a directory");
        int fd = Open(path, ReadOnlyNonBlockingCloexec);
        if (fd < 0)
            throw new ElfException(Explain(Marshal.GetLastPInvokeError()));
        var handle = new SafeFileHandle(fd, ownsHandle: true);
        try
        {
            var stream = new FileStream(handle, FileAccess.Read, bufferSize: 0);
            if (stream.CanSeek)
                return stream;
            stream.Dispose();
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            handle.Dispose();
            throw new ElfException("cannot be read: " + cause.Message);
        }

        throw new ElfException("is no regular file");
    }

    private static string Explain(int errno)
    {
        const int enoent = 2;
        string why = Marshal.GetPInvokeErrorMessage(errno);
        return errno == enoent ? "does not exist" : "cannot be opened: " + why;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);
}
