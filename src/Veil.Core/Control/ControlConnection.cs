// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf;
using Veil.Core.Interop;
using Veil.Core.Text;

namespace Veil.Core.Control;

/// <summary>The client's end of a control socket. Whoever listens there is not trusted: memory is bounded, and what it says is safe to
/// show.</summary>
public sealed unsafe class ControlConnection : IDisposable
{
    private const int ChunkBytes = 64 * 1024;

    // All that a trace's clients may wait for together; the longest line is a status as JSON.
    private const int LineBytesMax = 16 * 1024 * 1024;

    private readonly string _path;
    private readonly int _fd;
    private byte[] _received = new byte[ChunkBytes];
    private int _start;
    private int _end;

    /// <summary>Connects.</summary>
    /// <param name="path">Where the trace listens (<c>--control</c>).</param>
    /// <exception cref="VeilException">Nobody listens there, or this user may not.</exception>
    public ControlConnection(string path)
    {
        _path = path;
        byte[] name = Encoding.UTF8.GetBytes(path);
        if (name.Length is 0 or > LibC.SocketPathMax)
            throw new UsageException(
                $"control: '{Escaping.ForMessage(path)}' has {name.Length} bytes, but a socket's path has 1 to {LibC.SocketPathMax}");
        _fd = LibC.Socket(LibC.AfUnix, LibC.SockStreamCloexec, 0);
        if (LibC.ConnectTo(_fd, name) == 0)
            return;
        int error = Marshal.GetLastPInvokeError();
        _ = LibC.Close(_fd);
        throw new VeilException($"control: {Escaping.ForMessage(path)}: " + error switch
        {
            Errno.ENOENT => "no such file: a trace makes its socket with --control PATH, and removes it at its end",
            Errno.ENOTDIR => "a part of the path before its end is no folder: give the path that the trace was given with --control",
            // Of a file that is no socket the kernel says the same as of a socket that nobody has, or that this user may not use.
            Errno.ECONNREFUSED or Errno.EACCES when KindOf(path) is { } kind =>
                $"{kind}, and no socket: give the path that the trace was given with --control",
            Errno.EACCES => "permission denied: the socket is for root and who started the trace, and for a group with --control-group",
            Errno.EPROTOTYPE => "a socket of another kind, and no trace's: give the path that the trace was given with --control",
            Errno.ECONNREFUSED =>
                "no trace listens there any more: it was ended without its clean-up; a new trace with the same " +
                "--control replaces the socket",
            _ => Marshal.GetPInvokeErrorMessage(error),
        });
    }

    /// <summary>Sends a command and waits for its answer.</summary>
    /// <param name="command">The command.</param>
    /// <param name="show">Takes the lines of an answer that has several, one by one as they come; the answer itself has none of
    /// them.</param>
    /// <exception cref="VeilException">The trace ended.</exception>
    public ControlAnswer Ask(string command, Action<string> show) => Ask(command, show, -1);

    /// <summary>The same with a descriptor that goes with the command.</summary>
    internal ControlAnswer Ask(string command, Action<string> show, int fd)
    {
        ArgumentNullException.ThrowIfNull(show);
        byte[] line = Encoding.UTF8.GetBytes(command + "\n");
        fixed (byte* data = line)
        {
            nint sent = fd >= 0 && LibC.SendWith(_fd, data, line.Length, fd) ? line.Length : 0;
            while (sent < line.Length)
            {
                nint count = LibC.Send(_fd, data + sent, line.Length - sent, LibC.MsgNoSignal);
                if (count < 0 && Marshal.GetLastPInvokeError() != Errno.EINTR)
                    break; // the answer may say why
                sent += Math.Max(count, 0);
            }
        }

        string first = ReadLine();
        if (first == "OK" || first.StartsWith("OK ", StringComparison.Ordinal))
            return ControlAnswer.Ok(first.Length > 3 ? first[3..] : "");
        if (first.StartsWith("ERR ", StringComparison.Ordinal))
            return ControlAnswer.Error(first[4..]);
        for (string read = first; read != "."; read = ReadLine())
            show(read.StartsWith('.') ? read[1..] : read);
        return ControlAnswer.Ok();
    }

    /// <inheritdoc/>
    public void Dispose() => _ = LibC.Close(_fd);

    // What is there, where it is no socket.
    private static string? KindOf(string path) => LibC.TypeOf(Encoding.UTF8.GetBytes(path + "\0")) switch
    {
        LibC.FileType.Unknown or LibC.FileType.Socket => null,
        LibC.FileType.Regular => "a regular file",
        LibC.FileType.Directory => "a folder",
        _ => "a device or a FIFO",
    };

    private string ReadLine()
    {
        int looked = _start;
        int end;
        while ((end = _received.AsSpan(looked, _end - looked).IndexOf((byte)'\n')) < 0)
        {
            looked = _end;
            if (_end - _start > LineBytesMax)
                throw new VeilException($"control: {_path}: a line of more than {LineBytesMax} bytes is no answer of a trace");
            if (_start > 0 && _end == _received.Length)
            {
                Array.Copy(_received, _start, _received, 0, _end - _start);
                (_start, _end, looked) = (0, _end - _start, looked - _start);
            }

            if (_end == _received.Length)
                Array.Resize(ref _received, _received.Length * 2);
            nint count;
            fixed (byte* data = _received)
                count = LibC.Receive(_fd, data + _end, _received.Length - _end, 0);
            if (count < 0 && Marshal.GetLastPInvokeError() == Errno.EINTR)
                continue;
            if (count <= 0)
                throw new VeilException($"control: {_path}: the trace ended, or closed the connection, before it answered");
            _end += (int)count;
        }

        end += looked;
        string line = Encoding.UTF8.GetString(_received, _start, end - _start);
        _start = end + 1;
        return Escaping.Visible(line);
    }
}
