using System.Runtime.InteropServices;
using Veil.Core.Interop;
using Veil.Core.Sinks;

namespace Veil.Core.Session;

/// <summary>
/// Standard output, unbuffered. It waits for a slow reader without being deaf: a stop that comes while it waits is seen, and
/// after a stop it waits no longer than the grace time for a reader that takes nothing.
/// </summary>
internal sealed unsafe class FdOutput(int standard, StopSignal stop) : IOutput
{
    // poll() says that a pipe is writable when a page of it is free (fs/pipe.c): no more than that may be written at once
    // without blocking. What is neither pipe, socket nor terminal never blocks for long and takes everything.
    private const int PipeChunkBytes = 4096;
    private const int GraceMs = 2_000;

    private readonly bool _mayBlock = LibC.MayBlock(standard);

    // A terminal says that it is writable when it has room for one byte, and would keep us waiting for the rest.
    private readonly int _fd = LibC.IsTerminal(standard) ? LibC.ReopenNonBlocking(standard) : standard;

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> lines)
    {
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
                if (error == LibC.Eagain)
                    Thread.Sleep(1); // writable, but not for so much
                if (error is LibC.Eintr or LibC.Eagain)
                    continue;
                throw OutputException.Of(error);
            }
        }
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
                throw new OutputException("writing the output: its reader took nothing after the stop, the rest is not delivered", closedByReader: false);
        }
    }
}
