// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf;
using Veil.Core.Containers;
using Veil.Core.Interop;
using Veil.Core.Symbols;
using Veil.Core.Text;

namespace Veil.Core.Privileged;

/// <summary>
/// The helper process itself: <c>veil</c> once more, with a hidden first word. It answers one request after the other, each of a
/// fixed kind, and ends when its peer does, however that ends. Signals are blocked for it from its first instruction on (<see
/// cref="LibC.Spawn"/>).
/// </summary>
public static unsafe class RootServer
{
    /// <summary>The hidden word.</summary>
    public const string Hidden = "__root";

    private const int Peer = 3;
    private const int Folder = 4;
    private const int Socket = 5;
    private const int PrSetName = 15;
    private const uint PidMax = 1 << 22; // PID_MAX_LIMIT of include/linux/threads.h

    /// <summary>Serves until the peer is gone; the exit code.</summary>
    /// <param name="words">The abilities, then as far as they need it the name of the control socket in its folder, and that of the
    /// recording.</param>
    public static int Run(ReadOnlySpan<string> words)
    {
        if (words.Length is not (1 or 2 or 3) || !int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            || LibC.TypeOf(Peer) != LibC.FileType.Socket)
            return ExitCode.Usage;
        var abilities = (RootAbilities)number;
        bool hasSocket = abilities.HasFlag(RootAbilities.Socket), records = abilities.HasFlag(RootAbilities.Recording);
        if (words.Length != 1 + (hasSocket ? 1 : 0) + (records ? 1 : 0) || words[1..].ToArray().Any(static word => word.Contains('/') || word.Length == 0))
            return ExitCode.Usage;
        byte[] name = hasSocket ? Encoding.UTF8.GetBytes(words[1] + "\0") : [];
        var files = records ? new RecordingFiles(hasSocket ? Socket + 1 : Folder, words[^1]) : null;
        fixed (byte* title = "veil-root\0"u8)
            _ = LibC.PrCtl(PrSetName, (nuint)title, 0, 0, 0);
        _ = LibC.ChangeFolder("/");
        bool looks = (abilities & (RootAbilities.Paths | RootAbilities.Containers)) != RootAbilities.None;
        bool names = abilities.HasFlag(RootAbilities.Symbols);
        Privileges.DropAllBut(
            (names ? Privileges.SysPtrace | Privileges.DacReadSearch | Privileges.CheckpointRestore : 0) | (looks || abilities.HasFlag(RootAbilities.ProcessNames) ? Privileges.SysPtrace : 0) | (looks ? Privileges.DacReadSearch : 0) | (
            hasSocket || records || abilities.HasFlag(RootAbilities.Jit) ? Privileges.DacOverride : 0), keepUser: hasSocket || records);
        _ = SystemCallFilter.ForHelper(abilities).TryInstall(out _);
        Serve(abilities, name, files);
        return ExitCode.Success;
    }

    private static void Serve(RootAbilities abilities, ReadOnlySpan<byte> name, RecordingFiles? files)
    {
        uint* question = stackalloc uint[PathMessage.BytesMax / sizeof(uint)];
        int* answer = stackalloc int[PathMessage.BytesMax / sizeof(int)];
        while (true)
        {
            int taken = LibC.ReceiveWith(Peer, question, PathMessage.BytesMax, out int given);
            if (given >= 0)
                _ = LibC.Close(given);
            if (taken < 0 && Marshal.GetLastPInvokeError() == Errno.EINTR)
                continue;
            // However the trace has ended, SIGKILL too: what it could not remove any more.
            if (taken == 0 && name.Length > 1)
                _ = Remove(name);
            if (taken <= 0)
                return;
            int fd = -1, size = 2 * sizeof(int);
            bool isPath =
                taken > PathMessage.HeadBytes && (RootRequest)question[0] is RootRequest.ExplainPath or RootRequest.FindContainer
                    or RootRequest.OpenMapped or RootRequest.OpenProgram or RootRequest.OpenJitDump;
            int error = taken != 3 * sizeof(uint) && !isPath ? Errno.EINVAL : (RootRequest)question[0] switch
            {
                RootRequest.Ready => 0,
                RootRequest.OpenProcessName => abilities.HasFlag(RootAbilities.ProcessNames) ? OpenName(question[1], out fd) : Errno.EACCES,
                RootRequest.RemoveSocket => name.Length > 1 ? Remove(name) : Errno.EACCES,
                RootRequest.ExplainPath => isPath && abilities.HasFlag(RootAbilities.Paths)
                    ? Explain(new(question, taken), new(answer, PathMessage.BytesMax), out size) : Errno.EACCES,
                RootRequest.FindContainer => isPath && abilities.HasFlag(RootAbilities.Containers)
                    ? FindContainer(new(question, taken), new(answer, PathMessage.BytesMax), out size) : Errno.EACCES,
                RootRequest.MakeRecording => files?.Make((int)question[1], out fd) ?? Errno.EACCES,
                RootRequest.MakeDump => files?.MakeAt(question[1], out fd) ?? Errno.EACCES,
                RootRequest.RemoveRecording => files?.Remove((int)question[1]) ?? Errno.EACCES,
                RootRequest.OpenMaps or RootRequest.OpenMapped or RootRequest.OpenProgram or RootRequest.OpenJitMap or RootRequest.OpenJitDump =>
                    abilities.HasFlag(RootAbilities.Symbols) ? OpenSymbols(new(question, taken), isPath, out fd) : Errno.EACCES,
                RootRequest.AskForJitMap => !abilities.HasFlag(RootAbilities.Jit) || question[1] is 0 or > PidMax ? Errno.EACCES
                    : DotNetPerfMap.Ask((int)question[1]) ? 0 : Errno.ENOENT,
                _ => Errno.EINVAL,
            };
            (answer[0], answer[1]) = (error, (int)question[2]);
            bool sent = LibC.SendWith(Peer, answer, size, fd);
            if (fd >= 0)
                _ = LibC.Close(fd);
            if (!sent)
                return;
        }
    }

    private static int Explain(ReadOnlySpan<byte> question, Span<byte> answer, out int size)
    {
        size = PathMessage.WriteAnswer(answer, PathWalk.Find(PathMessage.ReadQuestion(question)));
        return 0;
    }

    private static int FindContainer(ReadOnlySpan<byte> question, Span<byte> answer, out int size)
    {
        string path = PathMessage.ReadText(question);
        ContainerNames.Own.Forget(path);
        size = PathMessage.WriteContainer(answer, ContainerNames.Own.Find(path));
        return 0;
    }

    private static int OpenSymbols(ReadOnlySpan<byte> question, bool isPath, out int fd)
    {
        fd = -1;
        var request = (RootRequest)MemoryMarshal.Read<uint>(question);
        uint pid = MemoryMarshal.Read<uint>(question[sizeof(uint)..]);
        if (pid > PidMax || (pid == 0 && request != RootRequest.OpenProgram))
            return Errno.EINVAL;
        string text = isPath ? PathMessage.ReadText(question) : "";
        if (text.Contains('\0'))
            return Errno.EINVAL;
        fd = request switch
        {
            RootRequest.OpenMaps => SymbolAccess.OpenMapsHere((int)pid),
            RootRequest.OpenMapped => SymbolAccess.OpenMappedHere((int)pid, text),
            RootRequest.OpenProgram => SymbolAccess.OpenProgramHere((int)pid, text),
            RootRequest.OpenJitDump => SymbolAccess.OpenJitDumpHere((int)pid, text),
            _ => SymbolAccess.OpenJitMapHere((int)pid),
        };
        return fd >= 0 ? 0 : Errno.ENOENT;
    }

    private static int OpenName(uint pid, out int fd)
    {
        fd = -1;
        if (pid is 0 or > PidMax)
            return Errno.EINVAL;
        var path = new LineWriter(stackalloc byte[32]);
        path.Append("/proc/"u8);
        path.Append((ulong)pid);
        path.Append("/comm\0"u8);
        fd = LibC.OpenToRead(path.Written);
        return fd >= 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    // The open descriptor keeps the inode: no other file can have its number, however long the trace is gone.
    private static int Remove(ReadOnlySpan<byte> name)
    {
        if (!LibC.TryGetFacts(Socket, out var made) || !LibC.TryGetFacts(Folder, name, out var there))
            return Errno.ENOENT;
        if (!there.IsSame(made))
            return Errno.ENOENT;
        return LibC.UnlinkAt(Folder, name) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }
}
