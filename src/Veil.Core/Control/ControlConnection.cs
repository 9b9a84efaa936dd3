using System.Runtime.InteropServices;
using System.Text;
using Veil.Core.Interop;

namespace Veil.Core.Control;

/// <summary>The client's end of a control socket.</summary>
public sealed unsafe class ControlConnection : IDisposable
{
    private const int ChunkBytes = 16 * 1024;

    private readonly string _path;
    private readonly int _fd;
    private readonly List<byte> _received = [];

    /// <summary>Connects.</summary>
    /// <param name="path">Where the trace listens (<c>--control</c>).</param>
    /// <exception cref="VeilException">Nobody listens there, or this user may not.</exception>
    public ControlConnection(string path)
    {
        _path = path;
        byte[] name = Encoding.UTF8.GetBytes(path);
        if (name.Length is 0 or > LibC.SocketPathMax)
            throw new UsageException($"control: '{path}' has {name.Length} bytes, but a socket's path has 1 to {LibC.SocketPathMax}");
        _fd = LibC.Socket(LibC.AfUnix, LibC.SockStreamCloexec, 0);
        if (LibC.ConnectTo(_fd, name) == 0)
            return;
        int error = Marshal.GetLastPInvokeError();
        _ = LibC.Close(_fd);
        throw new VeilException($"control: {path}: " + error switch
        {
            LibC.Enoent => "there is no such socket; a trace makes it with --control",
            LibC.Econnrefused => "no trace listens there any more",
            _ => Marshal.GetPInvokeErrorMessage(error),
        });
    }

    /// <summary>Sends a command and waits for its answer.</summary>
    /// <exception cref="VeilException">The trace ended.</exception>
    public ControlAnswer Ask(string command)
    {
        byte[] line = Encoding.UTF8.GetBytes(command + "\n");
        fixed (byte* data = line)
        {
            for (nint sent = 0; sent < line.Length;)
            {
                nint count = LibC.Send(_fd, data + sent, line.Length - sent, LibC.MsgNoSignal);
                if (count < 0 && Marshal.GetLastPInvokeError() != LibC.Eintr)
                    break; // the answer may say why
                sent += Math.Max(count, 0);
            }
        }

        string first = ReadLine();
        if (first == "OK" || first.StartsWith("OK ", StringComparison.Ordinal))
            return ControlAnswer.Ok(first.Length > 3 ? first[3..] : "");
        if (first.StartsWith("ERR ", StringComparison.Ordinal))
            return ControlAnswer.Error(first[4..]);
        var lines = new List<string>();
        for (string read = first; read != "."; read = ReadLine())
            lines.Add(read.StartsWith('.') ? read[1..] : read);
        return ControlAnswer.Listing(lines);
    }

    /// <inheritdoc/>
    public void Dispose() => _ = LibC.Close(_fd);

    private string ReadLine()
    {
        var chunk = stackalloc byte[ChunkBytes];
        int end;
        while ((end = _received.IndexOf((byte)'\n')) < 0)
        {
            nint count = LibC.Receive(_fd, chunk, ChunkBytes, 0);
            if (count < 0 && Marshal.GetLastPInvokeError() == LibC.Eintr)
                continue;
            if (count <= 0)
                throw new VeilException($"control: {_path}: the trace ended before it answered");
            _received.AddRange(new ReadOnlySpan<byte>(chunk, (int)count));
        }

        string line = Encoding.UTF8.GetString(_received.GetRange(0, end).ToArray());
        _received.RemoveRange(0, end + 1);
        return line;
    }
}
