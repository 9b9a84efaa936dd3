// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf;
using Veil.Core.Interop;

namespace Veil.Core.Export;

/// <summary>A connection to the metrics: a request that comes, or an answer that goes. Each has a time in which it must be over.</summary>
internal sealed unsafe class MetricsClient(int fd) : IDisposable
{
    private const int HeadBytesMax = 8 * 1024;
    private const int RequestMs = 5_000;
    private const int AnswerMs = 10_000;
    private const int IdleMs = 120_000; // Prometheus keeps a connection between scrapes, mostly each minute at the latest

    private readonly byte[] _input = new byte[HeadBytesMax];
    private int _inputLength;
    private byte[] _head = [];
    private int _sent;
    private bool _closes;

    public int Fd => fd;

    /// <summary>Is it over?</summary>
    public bool IsClosed { get; private set; }

    /// <summary>What is sent after the head; others may send the same.</summary>
    public ReadOnlyMemory<byte> Body { get; private set; }

    /// <summary>When it is closed, whatever it does.</summary>
    public long DeadlineMs { get; private set; } = Environment.TickCount64 + RequestMs;

    /// <summary>Is an answer under way?</summary>
    public bool IsAnswered => _head.Length > 0;

    /// <summary>Is the beginning of a request there, or an answer under way?</summary>
    public bool IsBusy => IsAnswered || _inputLength > 0;

    /// <summary>What to wait for.</summary>
    public short Wants => IsAnswered ? LibC.PollOut : LibC.PollIn;

    /// <summary>Receives what is there.</summary>
    /// <returns>False where the connection is over.</returns>
    public bool Receive()
    {
        nint count;
        fixed (byte* data = _input)
            count = LibC.Receive(fd, data + _inputLength, HeadBytesMax - _inputLength, 0);
        if (count <= 0)
            return count < 0 && Marshal.GetLastPInvokeError() is Errno.EAGAIN or Errno.EINTR;
        // The first byte of a request begins its time, which others do not make longer.
        if (_inputLength == 0)
            DeadlineMs = Environment.TickCount64 + RequestMs;
        _inputLength += (int)count;
        return true;
    }

    /// <summary>Takes a whole request out of what came.</summary>
    /// <returns>False where there is none; one that is too long is answered here.</returns>
    public bool TryTake(out ReadOnlySpan<byte> head)
    {
        head = default;
        if (IsAnswered)
            return false;
        int end = MetricsRequest.EndOf(_input.AsSpan(0, _inputLength));
        if (end > 0)
        {
            head = _input.AsSpan(0, end);
            return true;
        }

        if (_inputLength == HeadBytesMax)
            Answer("431 Request Header Fields Too Large", "", stays: false, hasBody: true, "the request is too long\n"u8.ToArray());
        return false;
    }

    /// <summary>Begins an answer to the request that was taken.</summary>
    public void Answer(string status, string fields, bool stays, bool hasBody, ReadOnlyMemory<byte> body)
    {
        int end = MetricsRequest.EndOf(_input.AsSpan(0, _inputLength));
        end = end == 0 ? _inputLength : end;
        _input.AsSpan(end, _inputLength - end).CopyTo(_input);
        _inputLength -= end;
        _head = Encoding.ASCII.GetBytes(
            $"HTTP/1.1 {status}\r\n{fields}Content-Length: {body.Length}\r\nX-Content-Type-Options: nosniff\r\n" +
            $"Connection: {(stays ? "keep-alive" : "close")}\r\n\r\n");
        Body = hasBody ? body : default;
        _closes = !stays;
        DeadlineMs = Environment.TickCount64 + AnswerMs;
    }

    /// <summary>Sends what goes without waiting.</summary>
    /// <returns>False where the connection is over.</returns>
    public bool Send()
    {
        while (IsAnswered)
        {
            var rest = _sent < _head.Length ? _head.AsSpan(_sent) : Body.Span[(_sent - _head.Length)..];
            nint count;
            fixed (byte* data = rest)
                count = LibC.Send(fd, data, rest.Length, LibC.MsgNoSignal);
            if (count < 0)
                return Marshal.GetLastPInvokeError() is Errno.EAGAIN or Errno.EINTR;
            _sent += (int)count;
            if (_sent < _head.Length + Body.Length)
                continue;
            (_head, Body, _sent) = ([], default, 0);
            DeadlineMs = Environment.TickCount64 + (_inputLength > 0 ? RequestMs : IdleMs);
            if (_closes)
                return false;
        }

        return true;
    }

    public void Dispose()
    {
        IsClosed = true;
        _ = LibC.Close(fd);
    }
}
