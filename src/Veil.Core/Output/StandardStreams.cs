// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf;
using Veil.Core.Interop;

namespace Veil.Core.Output;

/// <summary>The streams that this process was given.</summary>
public static class StandardStreams
{
    /// <summary>Standard output.</summary>
    public const int Output = 1;

    /// <summary>Standard error.</summary>
    public const int Error = 2;

    // poll() promises that so much of it fits into a pipe (fs/pipe.c); lines of at most that many bytes stay whole.
    private const int ErrorChunkBytes = 4096;
    private const int ErrorWaitMs = 1_000;

    private static volatile bool s_errorIsStuck;

    /// <summary>
    /// Checks that there is such a stream, by default standard output. Without one (<c>>&amp;-</c>) <c>/dev/null</c> has its number, opened
    /// for reading alone
    /// (Native/start.c).
    /// </summary>
    /// <exception cref="VeilException">There is none.</exception>
    public static void RequireOutput(int stream = Output)
    {
        if (!LibC.IsWritable(stream))
            throw new VeilException(
                $"writing the output: standard {(stream == Output ? "output" : "error")} is closed; give it a file, a pipe or a terminal");
    }

    /// <summary>How many files this process may have open (RLIMIT_NOFILE).</summary>
    public static ulong FilesMax => LibC.LimitOf(7);

    /// <summary>The columns of the terminal on standard error; 0 where there is none.</summary>
    public static int ErrorColumns => LibC.IsTerminal(Error) ? LibC.WindowSize(Error).Columns : 0;

    /// <summary>Writes to standard output, for commands that print and end.</summary>
    /// <exception cref="OutputException">It takes no more.</exception>
    /// <exception cref="VeilException">There is none.</exception>
    public static void WriteOutput(string text)
    {
        if (text.Length == 0)
            return;
        RequireOutput();
        WriteFully(Encoding.UTF8.GetBytes(text));
    }

    private static unsafe void WriteFully(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* data = bytes)
        {
            for (nint written = 0, count; written < bytes.Length; written += count)
            {
                count = LibC.Write(Output, data + written, bytes.Length - (int)written);
                if (count >= 0)
                    continue;
                int error = Marshal.GetLastPInvokeError();
                if (error is not (Errno.EINTR or Errno.EAGAIN))
                    throw OutputException.Of(error);
                count = 0;
            }
        }
    }

    /// <summary>Writes to standard error. What cannot be written there has nowhere else to go, and nothing waits long for it.</summary>
    public static unsafe void WriteError(string text)
    {
        if (!LibC.IsWritable(Error))
            return;
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        bool mayBlock = LibC.MayBlock(Error);
        fixed (byte* data = bytes)
        {
            for (int written = 0; written < bytes.Length;)
            {
                var wait = new LibC.PollFd { Fd = Error, Events = LibC.PollOut };
                if (mayBlock && LibC.Poll(&wait, 1, s_errorIsStuck ? 0 : ErrorWaitMs) == 0)
                {
                    // A terminal after CTRL-S, a reader that reads nothing: a trace and its end do not hang on that.
                    s_errorIsStuck = true;
                    return;
                }

                s_errorIsStuck = false;
                nint count =
                    LibC.Write(
                    Error, data + written, mayBlock ? Math.Min(bytes.Length - written, ErrorChunkBytes) : bytes.Length - written);
                if (count < 0 && Marshal.GetLastPInvokeError() is not (Errno.EINTR or Errno.EAGAIN))
                    return;
                written += (int)Math.Max(count, 0);
            }
        }
    }
}
