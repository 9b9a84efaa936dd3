// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf;
using Veil.Core.Interop;

namespace Veil.Core.Service;

/// <summary>One end of the pair of sockets between the process that is the service and the one that traces: messages of words, whole ones.
/// Words hold no NUL.</summary>
public sealed unsafe class ServiceChannel : IDisposable
{
    // What a socket holds by default is 208 KiB (net.core.wmem_default): some 10,000 keys.
    private const int BytesMax = 128 * 1024;

    /// <summary>Takes over a socket of <c>SOCK_SEQPACKET</c>.</summary>
    public ServiceChannel(int fd) => Fd = fd;

    /// <summary>The socket.</summary>
    public int Fd { get; }

    /// <summary>Sends words.</summary>
    /// <returns>False where they are too many, cannot be sent as they are, or the other end is gone.</returns>
    public bool TrySend(params ReadOnlySpan<string> words)
    {
        foreach (string word in words)
        {
            if (word.Contains('\0', StringComparison.Ordinal))
                return false;
        }

        byte[] bytes = Encoding.UTF8.GetBytes(string.Join('\0', words!));
        if (bytes.Length is 0 or > BytesMax)
            return false;
        fixed (byte* data = bytes)
            return LibC.Send(Fd, data, bytes.Length, LibC.MsgNoSignal) == bytes.Length;
    }

    /// <summary>Waits for the next message.</summary>
    /// <returns>Its words; none where the time is over or the other end is gone, which <paramref name="hasEnded"/> tells apart.</returns>
    public string[] Receive(int patienceMs, out bool hasEnded)
    {
        hasEnded = false;
        byte[] buffer = new byte[BytesMax];
        long until = patienceMs < 0 ? long.MaxValue : Environment.TickCount64 + patienceMs;
        while (true)
        {
            var wait = new LibC.PollFd { Fd = Fd, Events = LibC.PollIn };
            int ready = LibC.Poll(&wait, 1, patienceMs < 0 ? -1 : (int)Math.Max(0, until - Environment.TickCount64));
            if (ready == 0)
                return [];
            if (ready < 0)
                continue;
            int taken;
            fixed (byte* data = buffer)
                taken = (int)LibC.Receive(Fd, data, buffer.Length, 0);
            if (taken > 0)
                return Encoding.UTF8.GetString(buffer.AsSpan(0, taken)).Split('\0');
            if (taken < 0 && Marshal.GetLastPInvokeError() == Errno.EINTR)
                continue;
            hasEnded = true;
            return [];
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _ = LibC.Close(Fd);
}
