// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf;
using Veil.Core.Interop;

namespace Veil.Core.Export;

/// <summary>
/// A connection to a receiver, kept from request to request: HTTP/1.1, or the same by TLS. Nothing that comes back is trusted: not its
/// size,
/// not its time, and it leads nowhere else. Why not HttpClient: docs/adr/0045.
/// </summary>
internal sealed unsafe class HttpChannel(Uri url, TlsClient? tls, int timeoutMs) : IDisposable
{
    private const int AnswerBytesMax = 64 * 1024;

    private readonly string _host = url.HostNameType == UriHostNameType.IPv6 ? url.Host : url.IdnHost;
    private readonly byte[] _answer = new byte[AnswerBytesMax];
    private int _answerLength;
    private int _fd = -1;
    private void* _ssl;
    private long _deadlineMs;

    /// <summary>Sends a request and waits for its answer.</summary>
    /// <exception cref="HttpFailure">There was none.</exception>
    public HttpAnswer Post(string path, string fields, ReadOnlySpan<byte> body)
    {
        _deadlineMs = Environment.TickCount64 + timeoutMs;
        byte[] head =
            Encoding.ASCII.GetBytes(
            $"POST {path} HTTP/1.1\r\nHost: {_host}:{url.Port}\r\nUser-Agent: veil\r\nContent-Type: application/x-protobuf\r\n" +
            $"{fields}Content-Length: {body.Length}\r\n\r\n");
        bool wasOpen = _fd >= 0;
        try
        {
            return Exchange(head, body);
        }
        catch (HttpFailure failure) when (wasOpen && failure.IsClosed && _answerLength == 0)
        {
            // A connection that was idle may be closed by the other side at any time; a new one says what is the matter.
            Close();
        }
        catch (HttpFailure)
        {
            Close();
            throw;
        }

        try
        {
            return Exchange(head, body);
        }
        catch (HttpFailure)
        {
            Close();
            throw;
        }
    }

    /// <summary>Closes the connection; the next request makes a new one.</summary>
    public void Close()
    {
        if (_ssl != null)
            tls!.Library.Free(_ssl);
        _ssl = null;
        if (_fd >= 0)
            _ = LibC.Close(_fd);
        _fd = -1;
    }

    public void Dispose() => Close();

    private HttpAnswer Exchange(byte[] head, ReadOnlySpan<byte> body)
    {
        _answerLength = 0;
        if (_fd < 0)
            Open();
        Send(head);
        Send(body);
        return ReadAnswer();
    }

    private void Open()
    {
        string host = url.IdnHost.Trim('[', ']');
        var addresses = LibC.Resolve(host, url.Port, out string why);
        foreach (byte[] address in addresses)
        {
            _fd = LibC.Socket(BitConverter.ToUInt16(address), LibC.SockStreamCloexec | LibC.SockNonblock, 0);
            if (_fd < 0)
            {
                why = Marshal.GetLastPInvokeErrorMessage();
                continue;
            }

            int error = LibC.ConnectToAddress(_fd, address) == 0 ? 0 : Marshal.GetLastPInvokeError();
            if (error == Errno.EINPROGRESS)
            {
                Wait(LibC.PollOut, "connecting");
                error = LibC.ErrorOf(_fd);
            }

            if (error == 0)
                break;
            why = Marshal.GetPInvokeErrorMessage(error);
            Close();
        }

        if (_fd < 0)
            throw new HttpFailure($"{(addresses.Count == 0 ? "looking up its name" : "connecting")}: {why}");
        LibC.SendAtOnce(_fd);
        if (tls is not null)
            Handshake(host);
    }

    private void Handshake(string host)
    {
        _ssl = tls!.Open(_fd, host);
        tls.Library.ClearErrors();
        int result;
        while ((result = tls.Library.Connect(_ssl)) != 1)
        {
            if (!WaitForTls(result, "the TLS handshake"))
                throw new HttpFailure($"the TLS handshake: {tls.Library.LastError(_ssl)}");
        }
    }

    private void Send(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* data = bytes)
        {
            for (int sent = 0; sent < bytes.Length;)
            {
                if (tls is not null)
                {
                    tls.Library.ClearErrors();
                    int wrote = tls.Library.Write(_ssl, data + sent, bytes.Length - sent);
                    if (wrote > 0)
                        sent += wrote;
                    else if (!WaitForTls(wrote, "sending"))
                        throw new HttpFailure($"sending: {tls.Library.LastError(_ssl)}", isClosed: true);
                    continue;
                }

                nint count = LibC.Send(_fd, data + sent, bytes.Length - sent, LibC.MsgNoSignal);
                int error = count < 0 ? Marshal.GetLastPInvokeError() : 0;
                if (error == Errno.EAGAIN)
                    Wait(LibC.PollOut, "sending");
                else if (error is not (0 or Errno.EINTR))
                    throw new HttpFailure($"sending: {Marshal.GetPInvokeErrorMessage(error)}", isClosed: true);
                sent += (int)Math.Max(count, 0);
            }
        }
    }

    // More of the answer; false at the end of the connection.
    private bool Receive()
    {
        if (_answerLength == AnswerBytesMax)
            throw new HttpFailure($"its answer: more than {AnswerBytesMax} bytes");
        fixed (byte* data = _answer)
        {
            while (true)
            {
                if (tls is not null)
                {
                    tls.Library.ClearErrors();
                    int read = tls.Library.Read(_ssl, data + _answerLength, AnswerBytesMax - _answerLength);
                    if (read > 0)
                    {
                        _answerLength += read;
                        return true;
                    }

                    if (!WaitForTls(read, "waiting for its answer"))
                        return false;
                    continue;
                }

                nint count = LibC.Receive(_fd, data + _answerLength, AnswerBytesMax - _answerLength, 0);
                int error = count < 0 ? Marshal.GetLastPInvokeError() : 0;
                if (error == Errno.EAGAIN)
                {
                    Wait(LibC.PollIn, "waiting for its answer");
                    continue;
                }

                if (error == Errno.EINTR)
                    continue;
                if (error != 0)
                    throw new HttpFailure($"waiting for its answer: {Marshal.GetPInvokeErrorMessage(error)}", isClosed: true);
                _answerLength += (int)count;
                return count > 0;
            }
        }
    }

    private bool WaitForTls(int result, string what)
    {
        int error = tls!.Library.GetError(_ssl, result);
        if (error is not (LibSsl.WantRead or LibSsl.WantWrite))
            return false;
        Wait(error == LibSsl.WantRead ? LibC.PollIn : LibC.PollOut, what);
        return true;
    }

    private void Wait(short events, string what)
    {
        var fd = new LibC.PollFd { Fd = _fd, Events = events };
        int leftMs = (int)Math.Max(_deadlineMs - Environment.TickCount64, 0);
        if (leftMs == 0 || LibC.Poll(&fd, 1, leftMs) == 0)
            throw new HttpFailure($"{what}: nothing in {timeoutMs / 1000.0:0.###} s");
    }

    private HttpAnswer ReadAnswer()
    {
        int end;
        while ((end = _answer.AsSpan(0, _answerLength).IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (!Receive())
                throw new HttpFailure("waiting for its answer: the connection was closed", isClosed: true);
        }

        string[] lines = Encoding.Latin1.GetString(_answer, 0, end).Split("\r\n");
        int status = lines[0].Length >= 12 && lines[0].StartsWith("HTTP/1.", StringComparison.Ordinal)
            && int.TryParse(lines[0].AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture, out int code) && code >= 200
            ? code : throw new HttpFailure("its answer: no HTTP/1.1");
        var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (string line in lines[1..])
        {
            if (line.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon)
                fields.TryAdd(line[..colon], line[(colon + 1)..].Trim());
        }

        byte[] body = ReadBody(status, end + 4, fields);
        return new HttpAnswer(status, fields.GetValueOrDefault("Retry-After"), body);
    }

    private byte[] ReadBody(int status, int at, Dictionary<string, string> fields)
    {
        bool closes = string.Equals(fields.GetValueOrDefault("Connection"), "close", StringComparison.OrdinalIgnoreCase);
        byte[] body;
        // These have none, whatever is said of it (RFC 9112, 6.3).
        if (status is 204 or 304)
        {
            body = [];
        }
        else if (fields.ContainsKey("Transfer-Encoding"))
        {
            body = ReadChunks(at);
        }
        else if (fields.TryGetValue("Content-Length", out string? text))
        {
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int length) || length > AnswerBytesMax - at)
                throw new HttpFailure($"its answer: a body of {Text.Escaping.ForMessage(text)} bytes");
            while (_answerLength < at + length)
            {
                if (!Receive())
                    throw new HttpFailure("its answer: the connection was closed in it");
            }

            body = _answer[at..(at + length)];
        }
        else
        {
            while (Receive())
            {
            }

            closes = true;
            body = _answer[at.._answerLength];
        }

        if (closes)
            Close();
        return body;
    }

    private byte[] ReadChunks(int at)
    {
        var body = new List<byte>();
        while (true)
        {
            int end;
            while ((end = _answer.AsSpan(at, _answerLength - at).IndexOf("\r\n"u8)) < 0)
                Require(Receive());
            string size = Encoding.Latin1.GetString(_answer, at, end).Split(';')[0].Trim();
            if (!int.TryParse(size, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int length) || length < 0
                || length > AnswerBytesMax)
                throw new HttpFailure("its answer: no chunks");
            at += end + 2;
            while (_answerLength < at + length + 2)
                Require(Receive());
            // Trailers would follow, and nobody asked for any: what is left is not read as another answer.
            if (length == 0)
            {
                if (_answerLength > at + 2)
                    Close();
                return [.. body];
            }

            body.AddRange(_answer.AsSpan(at, length));
            at += length + 2;
        }

        static void Require(bool more)
        {
            if (!more)
                throw new HttpFailure("its answer: the connection was closed in it");
        }
    }
}

/// <summary>What a receiver answered.</summary>
/// <param name="Status">The status.</param>
/// <param name="RetryAfter">When to come again, as it says.</param>
/// <param name="Body">The body.</param>
internal sealed record HttpAnswer(int Status, string? RetryAfter, byte[] Body);

/// <summary>There was no answer.</summary>
internal sealed class HttpFailure(string message, bool isClosed = false) : Exception(message)
{
    /// <summary>The other side has closed the connection.</summary>
    public bool IsClosed => isClosed;
}
