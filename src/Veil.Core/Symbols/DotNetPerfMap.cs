// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using Veil.Core.Interop;

namespace Veil.Core.Symbols;

/// <summary>
/// Asks a .NET process, from .NET 8 on, to write <c>/tmp/perf-PID.map</c> (EnablePerfMap of its diagnostics protocol, ipc-protocol.md of
/// dotnet/diagnostics). The process writes what it has compiled so far before it answers, and what it compiles from then on.
/// </summary>
internal static unsafe class DotNetPerfMap
{
    private const int PatienceMs = 800; // less than its peer's, where the helper asks
    private const int AfUnix = 1;
    private const int StreamCloexec = 1 | 0x80000;
    private const int HeadBytes = 20;
    private const byte ProcessCommands = 4;
    private const byte EnablePerfMap = 5;
    private const byte OnlyPerfMap = 3;
    private const byte Server = 0xff;

    /// <summary>Asks it, with the rights of this process alone.</summary>
    /// <returns>It has said that it does.</returns>
    public static bool Ask(int pid)
    {
        var (inner, user) = SymbolAccess.IdsOf(pid);
        if (inner == 0 || StartOf(pid) is not { } start)
            return false;
        int place = SymbolAccess.PlaceInRoot(pid, $"/tmp/dotnet-diagnostic-{inner}-{start}-socket", LibC.NoFollow);
        int socket = -1;
        try
        {
            if (place < 0 || !LibC.TryGetFacts(place, out var facts) || facts.Type != LibC.FileType.Socket
                || (facts.User != user && facts.User != 0))
                return false;
            socket = LibC.Socket(AfUnix, StreamCloexec, 0);
            // The process itself has to be who listens, and no other that took its name.
            return socket >= 0 && LibC.ConnectTo(socket, Encoding.ASCII.GetBytes($"/proc/self/fd/{place}")) == 0
                && LibC.TryGetPeer(socket, out _, out int peer) && peer == pid && Enable(socket);
        }
        finally
        {
            if (socket >= 0)
                _ = LibC.Close(socket);
            if (place >= 0)
                _ = LibC.Close(place);
        }
    }

    // A head: the protocol's name, the size, the command; then its argument.
    private static bool Enable(int socket)
    {
        const int sizeAt = 14, setAt = 16, commandAt = 17;
        byte* message = stackalloc byte[HeadBytes + sizeof(uint)];
        new Span<byte>(message, HeadBytes + sizeof(uint)).Clear();
        "DOTNET_IPC_V1"u8.CopyTo(new Span<byte>(message, sizeAt));
        (message[sizeAt], message[setAt], message[commandAt], message[HeadBytes]) =
            (HeadBytes + sizeof(uint), ProcessCommands, EnablePerfMap, OnlyPerfMap);
        if (LibC.Send(socket, message, HeadBytes + sizeof(uint), 0) != HeadBytes + sizeof(uint))
            return false;
        long until = Environment.TickCount64 + PatienceMs;
        for (int taken = 0; taken < HeadBytes;)
        {
            var wait = new LibC.PollFd { Fd = socket, Events = LibC.PollIn };
            if (LibC.Poll(&wait, 1, (int)Math.Max(0, until - Environment.TickCount64)) <= 0)
                return false;
            int more = (int)LibC.Receive(socket, message + taken, HeadBytes - taken, 0);
            if (more <= 0)
                return false;
            taken += more;
        }

        return message[setAt] == Server && message[commandAt] == 0;
    }

    // When it was started, in ticks, which is in the name of its socket: field 22 of /proc/PID/stat.
    private static string? StartOf(int pid)
    {
        const int fieldsAfterName = 19;
        foreach (string line in LibC.LinesOf($"/proc/{pid}/stat"))
        {
            string[] fields = line[(line.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return fields.Length > fieldsAfterName
                && ulong.TryParse(fields[fieldsAfterName], NumberStyles.None, CultureInfo.InvariantCulture, out _)
                ? fields[fieldsAfterName] : null;
        }

        return null;
    }
}
