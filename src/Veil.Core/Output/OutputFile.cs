// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Bpf;
using Veil.Core.Interop;
using Veil.Core.Text;

namespace Veil.Core.Output;

/// <summary>The file of <c>--write</c>. It is opened with the user's own rights, before they are given up.</summary>
public sealed class OutputFile : IDisposable
{
    private OutputFile(int fd) => Fd = fd;

    /// <summary>Its descriptor.</summary>
    internal int Fd { get; }

    /// <summary>
    /// Opens it for writing, and makes it where there is none, for whom the umask allows (as <c>&gt;</c> in a shell does). What it held
    /// stays until
    /// <see cref="Empty"/>: a trace that does not start costs nobody the last one. Of a FIFO it waits for the reader.
    /// </summary>
    /// <exception cref="VeilException">It cannot be opened.</exception>
    public static OutputFile Open(string path)
    {
        int fd = LibC.OpenForWriting(path);
        if (fd >= 0)
            return new OutputFile(fd);
        int errno = Marshal.GetLastPInvokeError();
        throw new VeilException(
            $"opening {Escaping.ForMessage(path)} for writing: " +
            $"{(errno == Errno.EISDIR ? "it is a directory; give the name of a file" : Marshal.GetPInvokeErrorMessage(errno))}");
    }

    /// <summary>Takes away what it held. What is no file, as a device, holds nothing.</summary>
    /// <exception cref="VeilException">It cannot be emptied.</exception>
    internal void Empty()
    {
        if (LibC.TypeOf(Fd) == LibC.FileType.Regular && LibC.Truncate(Fd, 0) != 0)
            throw new VeilException($"emptying the file of the output: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <inheritdoc/>
    public void Dispose() => _ = LibC.Close(Fd);
}
