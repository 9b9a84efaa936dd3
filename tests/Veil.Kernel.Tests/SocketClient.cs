// SPDX-License-Identifier: GPL-3.0-only
using System.Net.Sockets;
using System.Text;

namespace Veil.Kernel.Tests;

/// <summary>A client of the control socket that speaks the protocol itself, as a script with <c>socat</c> would.</summary>
internal sealed class SocketClient : IDisposable
{
    private readonly Socket _socket;
    private readonly StreamReader _answers;

    public SocketClient(string path)
    {
        _socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _socket.Connect(new UnixDomainSocketEndPoint(path));
        _answers = new StreamReader(new NetworkStream(_socket), Encoding.UTF8);
    }

    public Socket Socket => _socket;

    /// <summary>The answer: a line, or the lines before the lone dot. Nothing where the connection was closed.</summary>
    public string? Ask(string command)
    {
        _socket.Send(Encoding.UTF8.GetBytes(command + "\n"));
        return Answer();
    }

    public string? Answer()
    {
        string? first = _answers.ReadLine();
        if (first is null || first.StartsWith("OK", StringComparison.Ordinal) || first.StartsWith("ERR ", StringComparison.Ordinal))
            return first;
        var lines = new StringBuilder();
        for (string? line = first; line != "."; line = _answers.ReadLine())
            lines.Append(line ?? throw new EndOfStreamException()).Append('\n');
        return lines.ToString();
    }

    /// <summary>Asks for something that has to be done.</summary>
    public void Do(string command) => Ask(command).ShouldNotBeNull().ShouldStartWith("OK", customMessage: command);

    public void Dispose()
    {
        _answers.Dispose();
        _socket.Dispose();
    }
}
