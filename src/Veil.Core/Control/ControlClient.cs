using System.Text;
using Veil.Core.Interop;

namespace Veil.Core.Control;

/// <summary>One connection to the control socket.</summary>
internal sealed unsafe class ControlClient(int fd) : IDisposable
{
    private const int ChunkBytes = 4096;

    // Who sends commands and does not read the answers gets no more of them.
    private const int AnswerBytesMax = 1024 * 1024;

    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly List<byte> _line = [];
    private readonly List<byte> _answer = [];
    private bool _lastAnswer;

    public int Fd => fd;

    /// <summary>What to wait for: while an answer is under way no further command is read.</summary>
    public short Wants => _answer.Count > 0 ? LibC.PollOut : LibC.PollIn;

    /// <summary>Does what can be done without waiting.</summary>
    /// <returns>False where the connection is over.</returns>
    public bool Serve(ControlCommands commands)
    {
        if (_answer.Count > 0)
            return Send();
        var chunk = stackalloc byte[ChunkBytes];
        nint count = LibC.Receive(fd, chunk, ChunkBytes, 0);
        if (count <= 0)
            return count < 0 && System.Runtime.InteropServices.Marshal.GetLastPInvokeError() is LibC.Eagain or LibC.Eintr;
        foreach (byte value in new ReadOnlySpan<byte>(chunk, (int)count))
        {
            if (_lastAnswer)
                break;
            if (value != (byte)'\n')
            {
                _line.Add(value);
                if (_line.Count > ControlServer.LineBytesMax)
                    End($"a line of more than {ControlServer.LineBytesMax} bytes is no command");
                continue;
            }

            Answer(commands);
        }

        return Send();
    }

    /// <summary>Says why, as far as that goes without waiting.</summary>
    public void Refuse(string why)
    {
        End(why);
        _ = Send();
    }

    public void Dispose() => _ = LibC.Close(fd);

    private void Answer(ControlCommands commands)
    {
        string line;
        try
        {
            line = s_strict.GetString(_line.ToArray()).TrimEnd('\r');
        }
        catch (DecoderFallbackException)
        {
            Add(ControlAnswer.Error("the line is not UTF-8"));
            _line.Clear();
            return;
        }

        _line.Clear();
        Add(line.Contains('\0', StringComparison.Ordinal) ? ControlAnswer.Error("the line holds a NUL") : commands.Execute(line));
        if (_answer.Count > AnswerBytesMax)
            _lastAnswer = true;
    }

    private void End(string why)
    {
        Add(ControlAnswer.Error(why));
        _lastAnswer = true;
    }

    private void Add(ControlAnswer answer) => _answer.AddRange(Encoding.UTF8.GetBytes(answer.ToProtocol()));

    private bool Send()
    {
        if (_answer.Count == 0)
            return true;
        byte[] bytes = [.. _answer];
        nint sent;
        fixed (byte* data = bytes)
            sent = LibC.Send(fd, data, bytes.Length, LibC.MsgNoSignal);
        if (sent < 0)
            return System.Runtime.InteropServices.Marshal.GetLastPInvokeError() is LibC.Eagain or LibC.Eintr;
        _answer.RemoveRange(0, (int)sent);
        return _answer.Count > 0 || !_lastAnswer;
    }
}
