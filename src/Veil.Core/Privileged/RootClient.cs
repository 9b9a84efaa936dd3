using System.Globalization;
using Veil.Core.Control;
using Veil.Core.Interop;
using Veil.Core.Sinks;

namespace Veil.Core.Privileged;

/// <summary>
/// The helper process as the trace sees it: it stays root, and does the few things that the trace cannot do any more once it has dropped its
/// privileges. It is started only where one of them was asked for.
/// </summary>
public sealed unsafe class RootClient : IDisposable
{
    private const int PatienceSeconds = 5;
    private readonly Lock _gate = new();
    private readonly ControlServer? _control;
    private int _socket;

    private RootClient(int socket, int pid, ControlServer? control)
    {
        _socket = socket;
        _control = control;
        if (control is not null)
            control.Root = this;
        Pid = pid;
    }

    /// <summary>Its process id, in our PID namespace; 0 where it could not be started.</summary>
    public int Pid { get; }

    /// <summary>Starts it where the options need it.</summary>
    /// <returns>The helper; nothing where none is needed.</returns>
    public static RootClient? StartFor(Enrichments enrichments, ControlServer? control)
    {
        if (LibC.EffectiveUser() != 0)
            return null;
        var abilities = RootAbilities.None;
        if (enrichments.HasFlag(Enrichments.Proc) && HidesProcesses())
            abilities |= RootAbilities.ProcessNames;
        if (control is not null)
            abilities |= RootAbilities.Socket;
        if (abilities == RootAbilities.None)
            return null;

        string[] arguments = ["veil", RootServer.Hidden, ((int)abilities).ToString(CultureInfo.InvariantCulture)];
        if (control is not null)
            arguments = [.. arguments, .. control.File.Description];
        return Start(arguments, control);
    }

    /// <summary>Has it started, and does it answer?</summary>
    public bool IsReady => Ask(RootRequest.Ready, 0, out _);

    /// <summary>A descriptor to read the name of a process from, or -1.</summary>
    internal int OpenProcessName(uint pid) => Ask(RootRequest.OpenProcessName, pid, out int fd) ? fd : -1;

    /// <summary>Removes the control socket.</summary>
    internal bool RemoveSocket() => Ask(RootRequest.RemoveSocket, 0, out _);

    /// <summary>Has the control socket removed, lets the helper end, and waits for that.</summary>
    public void Dispose()
    {
        _control?.Dispose();
        lock (_gate)
        {
            if (_socket < 0)
                return;
            // Its end of the socket closes when it ends. Somebody may have stopped it (SIGSTOP): then it is left behind.
            int unused;
            _ = LibC.ShutDown(_socket, LibC.ShutWrite);
            if (LibC.ReceiveWith(_socket, &unused, sizeof(int), out _) == 0)
                _ = LibC.WaitFor(Pid, null, 0);
            _ = LibC.Close(_socket);
            _socket = -1;
        }
    }

    private static RootClient Start(string[] arguments, ControlServer? control)
    {
        int folder = control?.File.Folder ?? -1;
        if (!LibC.TryMakePair(out int ours, out int theirs))
            return new RootClient(-1, 0, control);
        const int receiveTimeout = 20; // SO_RCVTIMEO
        long* patience = stackalloc long[] { PatienceSeconds, 0 };
        _ = LibC.SetSockOpt(ours, LibC.SolSocket, receiveTimeout, patience, 2 * sizeof(long));

        // Out of the way of 3 and 4, which is what they become there.
        int high = LibC.DuplicateHigh(theirs);
        int highFolder = folder < 0 ? -1 : LibC.DuplicateHigh(folder);
        int pid = LibC.Spawn("/proc/self/exe", arguments, folder < 0 ? [high] : [high, highFolder]);
        _ = LibC.Close(theirs);
        _ = LibC.Close(high);
        if (highFolder >= 0)
            _ = LibC.Close(highFolder);
        if (pid > 0)
            return new RootClient(ours, pid, control);
        _ = LibC.Close(ours);
        return new RootClient(-1, 0, control);
    }

    private bool Ask(RootRequest request, uint pid, out int fd)
    {
        fd = -1;
        lock (_gate)
        {
            if (_socket < 0)
                return false;
            var question = stackalloc uint[] { (uint)request, pid };
            int error = -1;
            if (LibC.SendWith(_socket, question, 2 * sizeof(uint), -1) && LibC.ReceiveWith(_socket, &error, sizeof(int), out fd) == sizeof(int))
                return error == 0;
            // An answer that comes late must not be taken for the next one's.
            _ = LibC.Close(_socket);
            _socket = -1;
            return false;
        }
    }

    // proc(5): hidepid=1 and 2 keep others' files from those without CAP_SYS_PTRACE, or the gid= group.
    private static bool HidesProcesses()
    {
        try
        {
            foreach (string line in File.ReadLines("/proc/self/mountinfo"))
            {
                string[] words = line.Split(' ');
                if (words[4] == "/proc" && words[^1].Split(',').Any(static option => option.StartsWith("hidepid=", StringComparison.Ordinal) && option is not ("hidepid=0" or "hidepid=off")))
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
