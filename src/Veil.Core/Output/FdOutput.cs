// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Bpf;
using Veil.Core.Interop;
using Veil.Core.Waiting;

namespace Veil.Core.Output;

/// <summary>
/// Standard output or the file of <c>--write</c>, unbuffered. It waits for a slow reader without being deaf: a stop that comes while it
/// waits is seen, and
/// after a stop it waits no longer than the grace time for a reader that takes nothing. A file that takes no more has what was written
/// before whole, and no half line.
/// </summary>
internal sealed unsafe class FdOutput(int standard, StopSignal stop) : IOutput
{
    // poll() says that a pipe is writable when a page of it is free (fs/pipe.c): no more than that may be written at once
    // without blocking. What is neither pipe, socket nor terminal never blocks for long and takes everything.
    private const int PipeChunkBytes = 4096;
    private const int GraceMs = 2_000;

    private readonly bool _isFile = LibC.TypeOf(standard) == LibC.FileType.Regular;
    private readonly bool _appends = LibC.IsAppending(standard);
    private readonly bool _mayBlock = LibC.MayBlock(standard);

    // A terminal says that it is writable when it has room for one byte, and would keep us waiting for the rest.
    private readonly int _fd = LibC.IsTerminal(standard) ? LibC.ReopenNonBlocking(standard) : standard;

    private bool _reserves = true;

    /// <inheritdoc/>
    public int WatchFd => standard;

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> lines)
    {
        if (_isFile && _appends && _reserves)
            Reserve(lines.Length);
        fixed (byte* data = lines)
        {
            int written = 0;
            while (written < lines.Length)
            {
                int count = lines.Length - written;
                if (_mayBlock)
                {
                    WaitUntilWritable();
                    count = Math.Min(count, PipeChunkBytes);
                }

                nint result = LibC.Write(_fd, data + written, count);
                if (result >= 0)
                {
                    written += (int)result;
                    continue;
                }

                int error = Marshal.GetLastPInvokeError();
                if (error == Errno.EAGAIN)
                    Thread.Sleep(1); // writable, but not for so much
                if (error is Errno.EINTR or Errno.EAGAIN)
                    continue;
                throw OutputException.Of(error, _isFile && !_appends ? KeepLines(lines[..written]) : 0);
            }
        }
    }

    // The disk was full, or the file too large, in the middle of a line, which is taken back. Only where the file still ends with what we
    // wrote: somebody may have cut it meanwhile.
    private int KeepLines(ReadOnlySpan<byte> written)
    {
        int kept = written.LastIndexOf((byte)'\n') + 1, half = written.Length - kept;
        long end = LibC.Seek(_fd, 0, LibC.SeekCurrent);
        if (end < written.Length || LibC.SizeOf(_fd) != end)
            return 0;
        if (half > 0 && LibC.Truncate(_fd, end - half) == 0)
            _ = LibC.Seek(_fd, end - half, LibC.SeekSet);
        return kept;
    }

    // Where others append too, what stands at the end may be theirs a moment later, and nothing can be taken back. So there is a place for
    // all of it before any of it is written. Not every file system can promise one (fallocate(2)).
    private void Reserve(int length)
    {
        const int keepSize = 1;
        const int rlimitFileSize = 1;
        long size = LibC.SizeOf(_fd);
        if ((ulong)(size + length) > LibC.LimitOf(rlimitFileSize))
            throw OutputException.Of(Errno.EFBIG);
        if (LibC.Allocate(_fd, keepSize, size, length) == 0)
            return;
        int error = Marshal.GetLastPInvokeError();
        if (error is Errno.ENOSPC or Errno.EDQUOT or Errno.EFBIG)
            throw OutputException.Of(error);
        if (error != Errno.EINTR)
            _reserves = false;
    }

    private void WaitUntilWritable()
    {
        var fds = stackalloc LibC.PollFd[2];
        fds[0] = new LibC.PollFd { Fd = _fd, Events = LibC.PollOut };
        fds[1] = new LibC.PollFd { Fd = stop.PollFd, Events = LibC.PollIn };
        while (true)
        {
            bool stopping = stop.IsRequested;
            int ready = LibC.Poll(fds, stopping ? 1u : 2u, stopping ? GraceMs : -1);
            if (ready > 0 && fds[0].Returned != 0)
                return;
            if (stop.IsForced || (stopping && ready == 0))
                throw new OutputException(
                    "writing the output: its reader took nothing after the stop, the rest is not delivered", closedByReader: false);
        }
    }
}
