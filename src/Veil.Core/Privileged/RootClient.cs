// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Core.Containers;
using Veil.Core.Control;
using Veil.Core.Interop;
using Veil.Core.Sinks;
using Veil.Core.Symbols;

namespace Veil.Core.Privileged;

/// <summary>
/// The helper process as the trace sees it: it stays root, and does the few things that the trace cannot do any more once it has dropped
/// its privileges. It is started only where one of them was asked for.
/// </summary>
public sealed unsafe class RootClient : ISymbolOpener, IDisposable
{
    // The first answer waits for a program to start, on a machine that may be busy; any other one for a few calls of the kernel.
    private const int StartMs = 5_000;
    private const int PatienceMs = 1_000;

    private readonly Lock _gate = new();
    private readonly ControlServer? _control;
    private readonly RootAbilities _abilities;
    private readonly Action<string> _message;
    private int _socket;
    private uint _serial;
    private bool _isReady;
    private bool _isLate;
    private bool _isStopped;
    private bool _hasEnded;
    private bool _leavesSocket;

    private RootClient(int socket, int pid, RootAbilities abilities, ControlServer? control, Action<string> message)
    {
        _socket = socket;
        _abilities = abilities;
        _control = control;
        _message = message;
        if (control is not null)
            control.Root = this;
        Pid = pid;
        _hasEnded = pid == 0;
    }

    /// <summary>Its process id, in our PID namespace; 0 where it could not be started.</summary>
    public int Pid { get; }

    /// <summary>Starts it where the options need it.</summary>
    /// <param name="enrichments">What is added to events.</param>
    /// <param name="namesContainers">Names of containers are shown or filtered by.</param>
    /// <param name="control">The control socket, or none.</param>
    /// <param name="message">Takes a line for the user, where the helper cannot do its work.</param>
    /// <param name="recording">The folder and the name of a recording of several files, or none.</param>
    /// <param name="namesStacks">Addresses of functions are named.</param>
    /// <returns>The helper; nothing where none is needed.</returns>
    public static RootClient? StartFor(
        Enrichments enrichments, bool namesContainers, ControlServer? control, Action<string> message, (int Folder, string Name)? recording = null,
        bool namesStacks = false)
    {
        var abilities = NeededFor(enrichments, namesContainers, control is not null, recording is not null, namesStacks);
        if (abilities == RootAbilities.None)
            return null;

        string[] arguments = ["veil", RootServer.Hidden, ((int)abilities).ToString(CultureInfo.InvariantCulture)];
        if (control is not null)
            arguments = [.. arguments, control.File.Name];
        if (recording is { Name: var name })
            arguments = [.. arguments, name];
        return Start(arguments, abilities, control, message, recording?.Folder);
    }

    /// <summary>What a trace would need it for.</summary>
    public static RootAbilities NeededFor(Enrichments enrichments, bool namesContainers, bool hasControl, bool rotates = false, bool namesStacks = false)
    {
        if (LibC.EffectiveUser() != 0)
            return RootAbilities.None;
        return (namesContainers ? RootAbilities.Containers : RootAbilities.None) | (
            enrichments.HasFlag(Enrichments.Why) ? RootAbilities.Paths : RootAbilities.None) | (
            enrichments.HasFlag(Enrichments.Proc) && HidesProcesses() ? RootAbilities.ProcessNames : RootAbilities.None) | (
            hasControl ? RootAbilities.Socket : RootAbilities.None) | (
            rotates ? RootAbilities.Recording : RootAbilities.None) | (
            namesStacks ? RootAbilities.Symbols : RootAbilities.None);
    }

    /// <summary>Waits until it has started and answers. Where it does not, a line says so.</summary>
    internal bool WaitUntilReady()
    {
        _isReady = Ask(RootRequest.Ready, 0, StartMs, out _);
        if (!_isReady)
            _message(
                Pid == 0 ? "warning: the helper process could not be started: this process stays the user that it is"
                : $"warning: helper process {Pid} did not answer within {StartMs / 1_000} s: this process stays the user that it is");
        return _isReady;
    }

    /// <summary>A descriptor to read the name of a process from, or -1.</summary>
    internal int OpenProcessName(uint pid) => Ask(RootRequest.OpenProcessName, pid, PatienceMs, out int fd) ? fd : -1;

    /// <summary>A descriptor of the next file of the recording, or -1.</summary>
    internal int MakeRecording(int part) => Ask(RootRequest.MakeRecording, (uint)part, PatienceMs, out int fd) ? fd : -1;

    /// <summary>A descriptor of a file with a time in its name, or -1.</summary>
    internal int MakeDump(uint seconds) => Ask(RootRequest.MakeDump, seconds, PatienceMs, out int fd) ? fd : -1;

    /// <summary>Has one of its files removed.</summary>
    internal bool RemoveRecording(int part) => Ask(RootRequest.RemoveRecording, (uint)part, PatienceMs, out _);

    /// <summary>Which component of a path refused a call.</summary>
    internal PathRefusal Explain(in PathQuestion question)
    {
        var message = stackalloc byte[PathMessage.BytesMax];
        int size = PathMessage.WriteQuestion(new Span<byte>(message, PathMessage.BytesMax), question);
        return Ask(RootRequest.ExplainPath, question.Pid, PatienceMs, (uint*)message, size, (int*)message, out int taken, out _)
            && taken >= PathMessage.HeadBytes
            ? PathMessage.ReadAnswer(new ReadOnlySpan<byte>(message, taken))
            : default;
    }

    /// <summary>The container of a cgroup.</summary>
    internal Container? FindContainer(string cgroupPath)
    {
        var message = stackalloc byte[PathMessage.BytesMax];
        int size = PathMessage.WriteText(new Span<byte>(message, PathMessage.BytesMax), cgroupPath);
        return Ask(RootRequest.FindContainer, 0, PatienceMs, (uint*)message, size, (int*)message, out int taken, out _)
            && taken > PathMessage.HeadBytes
            ? PathMessage.ReadContainer(new ReadOnlySpan<byte>(message, taken))
            : null;
    }

    int ISymbolOpener.OpenMaps(int pid) => OpenSymbols(RootRequest.OpenMaps, pid);

    int ISymbolOpener.OpenMapped(int pid, string range) => OpenSymbols(RootRequest.OpenMapped, pid, range);

    int ISymbolOpener.OpenProgram(int pid, string path) => OpenSymbols(RootRequest.OpenProgram, pid, path);

    int ISymbolOpener.OpenJitMap(int pid) => OpenSymbols(RootRequest.OpenJitMap, pid);

    private int OpenSymbols(RootRequest request, int pid) =>
        _abilities.HasFlag(RootAbilities.Symbols) && Ask(request, (uint)pid, PatienceMs, out int fd) ? fd : -1;

    private int OpenSymbols(RootRequest request, int pid, string text)
    {
        if (!_abilities.HasFlag(RootAbilities.Symbols))
            return -1;
        var message = stackalloc byte[PathMessage.BytesMax];
        int size = PathMessage.WriteText(new Span<byte>(message, PathMessage.BytesMax), text);
        return Ask(request, (uint)pid, PatienceMs, (uint*)message, size, (int*)message, out _, out int fd) ? fd : -1;
    }

    /// <summary>Has the control socket removed. Where that does not work, <see cref="Dispose"/> says so.</summary>
    internal void RemoveSocket()
    {
        Watch();
        _leavesSocket = !Ask(RootRequest.RemoveSocket, 0, PatienceMs, out _);
    }

    /// <summary>Says, once, that it has ended or was stopped: by somebody else, as it does neither by itself. Never waits.</summary>
    internal void Watch()
    {
        const int noHang = 1, untraced = 2, continued = 8;
        lock (_gate)
        {
            if (_hasEnded)
                return;
            int status;
            int changed = LibC.WaitFor(Pid, &status, noHang | untraced | continued);
            if (changed == 0)
                return;
            bool wasStopped = _isStopped;
            _isStopped = changed > 0 && (status & 0xff) == 0x7f;
            // Children of a process that ignores SIGCHLD leave no status: ECHILD.
            _hasEnded = changed < 0 || (!_isStopped && status != 0xffff);
            if (_hasEnded)
                _message(
                    $"helper process {Pid} has " +
                    $"ended{(changed > 0 && (status & 0x7f) is > 0 and var signal ? signal == 9 ? " (SIGKILL)" : $" (signal {signal})" : "")}: {Lacks}{(_control is null ? "" : "; remove it then")}");
            else if (_isStopped && !wasStopped)
                _message($"helper process {Pid} is stopped: {Lacks}; kill -CONT {Pid} lets it go on");
        }
    }

    /// <summary>Has the control socket removed, lets the helper end, and waits for that as long as it may take.</summary>
    public void Dispose()
    {
        _control?.Dispose();
        Watch();
        lock (_gate)
        {
            if (_socket < 0)
                return;
            _ = LibC.ShutDown(_socket, LibC.ShutWrite);
            if (!_hasEnded)
            {
                // Its end of the socket closes when it ends. Somebody may have stopped it (SIGSTOP): then it is left behind.
                if (!_isStopped && HasClosed(_isLate ? 0 : _isReady ? PatienceMs : StartMs))
                    _ = LibC.WaitFor(Pid, null, 0);
                else
                {
                    string rest = _leavesSocket ? "remove that and end" : "end";
                    _message(
                        $"helper process {Pid} {(_isStopped ? "is stopped" : "does not answer")}, and is left " +
                        $"behind{(_leavesSocket ? $" with {_control!.File.Path}" : "")}: "
                        + (_isStopped ? $"kill -CONT {Pid} lets it {rest}" : $"it will {rest} once it goes on"));
                }
            }

            _ = LibC.Close(_socket);
            _socket = -1;
        }
    }

    private string Lacks => string.Join(" and ", new[]
    {
        _abilities.HasFlag(RootAbilities.ProcessNames) ? "names of processes that /proc hides are not found" : "",
        _abilities.HasFlag(RootAbilities.Paths) ? "reasons of refusals are not found" : "",
        _abilities.HasFlag(RootAbilities.Recording) ? "no other file of the recording is made" : "",
        _abilities.HasFlag(RootAbilities.Symbols) ? "names of functions are not found in files that only root may read" : "",
        _abilities.HasFlag(RootAbilities.Containers) ? "names of new containers are not found" : "",
        _control is null ? "" : $"{_control.File.Path} stays behind at the end",
    }.Where(static part => part.Length > 0));

    private static RootClient Start(
        string[] arguments, RootAbilities abilities, ControlServer? control, Action<string> message, int? recordings)
    {
        if (!LibC.TryMakePair(out int ours, out int theirs))
            return new RootClient(-1, 0, abilities, control, message);

        // Out of the way of 3 and those after it, which is what they become there.
        int[] given = control is null ? [theirs] : [theirs, control.File.Folder, control.File.Socket];
        if (recordings is { } folder)
            given = [.. given, folder];
        int[] high = Array.ConvertAll(given, LibC.DuplicateHigh);
        int pid = LibC.Spawn("/proc/self/exe", arguments, high);
        _ = LibC.Close(theirs);
        foreach (int fd in high)
            _ = LibC.Close(fd);
        if (pid > 0)
            return new RootClient(ours, pid, abilities, control, message);
        _ = LibC.Close(ours);
        return new RootClient(-1, 0, abilities, control, message);
    }

    private bool Ask(RootRequest request, uint pid, int patienceMs, out int fd)
    {
        var question = stackalloc uint[3];
        var answer = stackalloc int[2];
        return Ask(request, pid, patienceMs, question, 3 * sizeof(uint), answer, out _, out fd);
    }

    // The answer has room for as much as the longest question, or two words.
    private bool Ask(RootRequest request, uint pid, int patienceMs, uint* question, int size, int* answer, out int taken, out int fd)
    {
        (taken, fd) = (0, -1);
        lock (_gate)
        {
            // It is waited for once: where it did not answer, it is asked again when that answer has come.
            if (_socket < 0 || _hasEnded || _isStopped || (_isLate && !HasCaughtUp()))
                return false;
            (question[0], question[1], question[2]) = ((uint)request, pid, ++_serial);
            return LibC.SendWith(_socket, question, size, -1)
                && Takes(
                patienceMs, answer, size > 3 * sizeof(uint) ? PathMessage.BytesMax : 2 * sizeof(int), out int error, out taken, out fd)
                && error == 0;
        }
    }

    private bool HasCaughtUp()
    {
        var answer = stackalloc int[2];
        bool caughtUp = Takes(0, answer, 2 * sizeof(int), out _, out _, out int fd);
        Forget(fd);
        return caughtUp;
    }

    // The answer to the last question. One that comes late is not taken for the next one's.
    private bool Takes(int patienceMs, int* answer, int room, out int error, out int taken, out int fd)
    {
        for (long until = Environment.TickCount64 + patienceMs; WaitsFor(until);)
        {
            taken = LibC.ReceiveWith(_socket, answer, room, out fd);
            if (taken == 0)
                break;
            if (taken >= 2 * sizeof(int) && (uint)answer[1] == _serial)
            {
                _isLate = false;
                error = answer[0];
                return true;
            }

            Forget(fd);
        }

        (_isLate, error, taken, fd) = (true, -1, 0, -1);
        return false;
    }

    private bool HasClosed(int patienceMs)
    {
        int* answer = stackalloc int[2];
        for (long until = Environment.TickCount64 + patienceMs; WaitsFor(until);)
        {
            if (LibC.ReceiveWith(_socket, answer, 2 * sizeof(int), out int fd) == 0)
                return true;
            Forget(fd);
        }

        return false;
    }

    private bool WaitsFor(long untilMs)
    {
        while (true)
        {
            var wait = new LibC.PollFd { Fd = _socket, Events = LibC.PollIn };
            int ready = LibC.Poll(&wait, 1, (int)Math.Max(0, untilMs - Environment.TickCount64));
            // Less than none: a signal.
            if (ready >= 0)
                return ready > 0;
        }
    }

    private static void Forget(int fd)
    {
        if (fd >= 0)
            _ = LibC.Close(fd);
    }

    // proc(5): hidepid=1 and 2 keep others' files from those without CAP_SYS_PTRACE, or the gid= group.
    private static bool HidesProcesses()
    {
        try
        {
            foreach (string line in File.ReadLines("/proc/self/mountinfo"))
            {
                string[] words = line.Split(' ');
                if (words[4] == "/proc" && words[^1].Split(',')
                    .Any(static option =>
                    option.StartsWith("hidepid=", StringComparison.Ordinal) && option is not ("hidepid=0" or "hidepid=off")))
                    return true;
            }
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            // Without /proc nobody has names to tell.
        }

        return false;
    }
}
