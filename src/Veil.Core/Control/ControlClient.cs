// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf;
using Veil.Core.Interop;

namespace Veil.Core.Control;

/// <summary>One connection to the control socket: a line that comes, or an answer that goes, and nothing is read while one does.</summary>
internal sealed unsafe class ControlClient(int fd, uint user) : IDisposable
{
    /// <summary>What is read at once, and so what a client may hold without counting as one that holds much.</summary>
    public const int ChunkBytes = 4096;

    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private byte[] _input = new byte[ChunkBytes];
    private int _inputLength;
    private int _lineLength = -1;
    private byte[] _answer = [];
    private int _sent;
    private bool _lastAnswer;
    private int _given = -1;

    public int Fd => fd;

    /// <summary>Who connected.</summary>
    public uint User => user;

    /// <summary>When a byte came or went last.</summary>
    public long ActiveAt { get; private set; } = Environment.TickCount64;

    /// <summary>The memory that it has us hold.</summary>
    public int HeldBytes => _input.Length + _answer.Length;

    /// <summary>What to wait for: while a command waits or an answer is under way nothing more is read.</summary>
    public short Wants => _answer.Length > 0 ? LibC.PollOut : HasCommand ? (short)0 : LibC.PollIn;

    /// <summary>A command came already, and can be answered without waiting.</summary>
    public bool HasCommand => _lineLength >= 0 && _answer.Length == 0;

    /// <summary>Sends or receives what goes without waiting.</summary>
    /// <returns>False where the connection is over.</returns>
    public bool Transfer() => (_answer.Length > 0 || Receive()) && Send();

    /// <summary>Answers its command.</summary>
    /// <returns>False where the connection is over.</returns>
    public bool Execute(ControlCommands commands)
    {
        Answer(commands);
        return Send();
    }

    /// <summary>Closes it, and says why where that goes without waiting and within no other answer.</summary>
    public void Refuse(string why)
    {
        if (_answer.Length == 0)
        {
            End(why);
            _ = Send();
        }

        Dispose();
    }

    public void Dispose()
    {
        Forget();
        _ = LibC.Close(fd);
    }

    private void Forget()
    {
        if (_given >= 0)
            _ = LibC.Close(_given);
        _given = -1;
    }

    private bool Receive()
    {
        if (HasCommand)
            return true; // it has gone, and this command of its is done all the same
        if (_input.Length - _inputLength < ChunkBytes)
            Array.Resize(ref _input, _input.Length * 2);
        nint count;
        fixed (byte* data = _input)
        {
            count = LibC.ReceiveWith(fd, data + _inputLength, ChunkBytes, out int given);
            if (given >= 0)
            {
                Forget();
                _given = given;
            }
        }

        if (count <= 0)
            return count < 0 && Marshal.GetLastPInvokeError() is Errno.EAGAIN or Errno.EINTR;
        ActiveAt = Environment.TickCount64;
        FindLine(_inputLength, (int)count);
        _inputLength += (int)count;
        if (_lineLength < 0 ? _inputLength > ControlServer.LineBytesMax : _lineLength > ControlServer.LineBytesMax)
            End($"a line of more than {ControlServer.LineBytesMax} bytes is no command");
        return true;
    }

    private void Answer(ControlCommands commands)
    {
        var line = _input.AsSpan(0, _lineLength);
        ControlAnswer answer;
        try
        {
            answer = line.Contains((byte)0) ? ControlAnswer.Error("the line holds a NUL")
                : commands.Execute(s_strict.GetString(line).TrimEnd('\r'), TakeGiven(line));
        }
        catch (DecoderFallbackException)
        {
            answer = ControlAnswer.Error("the line is not UTF-8");
        }

        _answer = Encoding.UTF8.GetBytes(answer.ToProtocol());
        int used = _lineLength + 1;
        _inputLength -= used;
        // What comes after a long line has no need of its room.
        byte[] rest = _input.Length > ChunkBytes ? new byte[Math.Max(ChunkBytes, _inputLength)] : _input;
        Array.Copy(_input, used, rest, 0, _inputLength);
        _input = rest;
        FindLine(0, _inputLength);
    }

    // A descriptor that came with another command is nobody's.
    private int TakeGiven(ReadOnlySpan<byte> line)
    {
        if (!line.StartsWith("dump"u8))
            Forget();
        int given = _given;
        _given = -1;
        return given;
    }

    private void FindLine(int from, int count)
    {
        int end = _input.AsSpan(from, count).IndexOf((byte)'\n');
        _lineLength = end < 0 ? -1 : from + end;
    }

    private void End(string why)
    {
        _answer = Encoding.UTF8.GetBytes(ControlAnswer.Error(why).ToProtocol());
        _lastAnswer = true;
    }

    private bool Send()
    {
        if (_answer.Length == 0)
            return true;
        nint sent;
        fixed (byte* data = _answer)
            sent = LibC.Send(fd, data + _sent, _answer.Length - _sent, LibC.MsgNoSignal);
        // Nobody is there any more: commands that came behind this one would be answered to nobody, and keep the others' waiting.
        if (sent < 0)
            return Marshal.GetLastPInvokeError() is Errno.EAGAIN or Errno.EINTR;
        ActiveAt = Environment.TickCount64;
        _sent += (int)sent;
        if (_sent < _answer.Length)
            return true;
        _answer = [];
        _sent = 0;
        return !_lastAnswer;
    }
}
