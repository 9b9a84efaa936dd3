using System.Runtime.InteropServices;
using System.Text;
using Veil.Core.Interop;
using Veil.Core.Session;

namespace Veil.Core.Control;

/// <summary>
/// The control socket. One thread serves all clients and never waits for one: each has a bounded line and a bounded answer, and what
/// does not keep to that is closed.
/// </summary>
public sealed unsafe class ControlServer : IDisposable
{
    /// <summary>The longest line in bytes: 10,240 keys of ten digits fit.</summary>
    public const int LineBytesMax = 256 * 1024;

    private const int ClientsMax = 256;
    private const int Backlog = 128;
    private const int NoDescriptorMs = 20;
    private const uint OwnerOnly = 0x180; // 0600
    private const uint OwnerAndGroup = 0x1b0; // 0660

    private readonly string _path;
    private readonly ulong _inode;
    private readonly bool _groupMay;
    private readonly uint _owner = LibC.EffectiveUser();
    private readonly int _listener;
    private readonly int _wake;
    private readonly List<ControlClient> _clients = [];
    private ControlCommands? _commands;
    private Thread? _thread;
    private bool _ending;

    private ControlServer(string path, int listener, bool groupMay)
    {
        _path = path;
        _listener = listener;
        _groupMay = groupMay;
        _wake = LibC.EventFd(0, 0x80000);
        _ = LibC.TryGetOwner(path, out _, out _, out _inode);
    }

    /// <summary>Makes the socket; it answers from <see cref="Start"/> on.</summary>
    /// <param name="path">Where. A socket that nobody listens on any more, and that is ours, is replaced; anything else there is an error.</param>
    /// <param name="group">The group that may connect beside the owner and root, or none.</param>
    /// <exception cref="UsageException">There cannot be a socket.</exception>
    public static ControlServer Open(string path, string? group)
    {
        byte[] name = Encoding.UTF8.GetBytes(path);
        if (name.Length is 0 or > LibC.SocketPathMax)
            throw new UsageException($"--control: '{path}' has {name.Length} bytes, but a socket's path has 1 to {LibC.SocketPathMax}");
        uint? groupId = group is null ? null : NameService.TryGetGroupId(group, out uint id) ? id : throw new UsageException($"--control-group: '{group}' is no group of this system");

        int listener = LibC.Socket(LibC.AfUnix, LibC.SockStreamCloexec | LibC.SockNonblock, 0);
        if (listener < 0)
            throw Failed(path, "making a socket");
        try
        {
            RemoveDead(path, name);
            uint before = LibC.UMask(0x7f); // 0177: no moment at which others could connect
            int bound = LibC.BindTo(listener, name);
            int error = Marshal.GetLastPInvokeError();
            _ = LibC.UMask(before);
            if (bound != 0)
                throw new UsageException($"--control: {path}: {Marshal.GetPInvokeErrorMessage(error)}");
            if (LibC.ChangeMode(path, OwnerOnly) != 0
                || (groupId is { } gid && (LibC.ChangeOwner(path, uint.MaxValue, gid) != 0 || LibC.ChangeMode(path, OwnerAndGroup) != 0))
                || LibC.Listen(listener, Backlog) != 0)
            {
                var failure = Failed(path, "opening it to the group");
                _ = LibC.Unlink(path);
                throw failure;
            }

            return new ControlServer(path, listener, group is not null);
        }
        catch
        {
            _ = LibC.Close(listener);
            throw;
        }
    }

    /// <summary>Answers from now on, on a thread of its own.</summary>
    /// <param name="commands">What is answered.</param>
    /// <param name="stop">Asked for where the thread fails.</param>
    public void Start(ControlCommands commands, StopSignal stop)
    {
        _commands = commands;
        _thread = new Thread(stop.Guard(Serve), maxStackSize: 256 * 1024) { IsBackground = true, Name = "veil-control" };
        _thread.Start();
    }

    /// <summary>Closes everything and removes the socket.</summary>
    public void Dispose()
    {
        if (Volatile.Read(ref _ending))
            return;
        Volatile.Write(ref _ending, true);
        ulong one = 1;
        _ = LibC.Write(_wake, (byte*)&one, sizeof(ulong));
        _thread?.Join();
        foreach (var client in _clients)
            client.Dispose();
        _clients.Clear();
        _ = LibC.Close(_listener);
        _ = LibC.Close(_wake);
        // Only what is still ours: somebody may have put another file in its place.
        if (LibC.TryGetOwner(_path, out _, out var type, out ulong inode) && type == LibC.FileType.Socket && inode == _inode)
            _ = LibC.Unlink(_path);
    }

    private static void RemoveDead(string path, byte[] name)
    {
        if (!LibC.TryGetOwner(path, out uint owner, out var type, out _))
            return;
        if (type != LibC.FileType.Socket)
            throw new UsageException($"--control: {path} exists and is no socket; it is left alone: give another path");
        int probe = LibC.Socket(LibC.AfUnix, LibC.SockStreamCloexec | LibC.SockNonblock, 0);
        int answer = LibC.ConnectTo(probe, name);
        int error = Marshal.GetLastPInvokeError();
        _ = LibC.Close(probe);
        if (answer == 0 || error != LibC.Econnrefused)
            throw new UsageException($"--control: {path} is in use{(answer == 0 ? "" : $" ({Marshal.GetPInvokeErrorMessage(error)})")}: give another path");
        if (owner != LibC.EffectiveUser())
            throw new UsageException($"--control: {path} is a socket of another user: give another path");
        if (LibC.Unlink(path) != 0)
            throw Failed(path, "removing the dead socket");
    }

    private void Serve()
    {
        // The reader of events, from whom the thread has its priority, goes before it: a flood of commands must not cost events.
        _ = LibC.SetPriority(0, 0, 0);
        var fds = new LibC.PollFd[ClientsMax + 2];
        while (!Volatile.Read(ref _ending))
        {
            fds[0] = new() { Fd = _wake, Events = LibC.PollIn };
            // Beyond the limit a client waits in the kernel until another one has gone.
            fds[1] = new() { Fd = _clients.Count < ClientsMax ? _listener : -1, Events = LibC.PollIn };
            for (int i = 0; i < _clients.Count; i++)
                fds[i + 2] = new() { Fd = _clients[i].Fd, Events = _clients[i].Wants };
            int served = _clients.Count;
            fixed (LibC.PollFd* set = fds)
            {
                if (LibC.Poll(set, (nuint)(served + 2), -1) < 0)
                    continue;
            }

            for (int i = served - 1; i >= 0; i--)
            {
                if (fds[i + 2].Returned != 0 && !_clients[i].Serve(_commands!))
                {
                    _clients[i].Dispose();
                    _clients.RemoveAt(i);
                }
            }

            if ((fds[1].Returned & LibC.PollIn) != 0)
                Accept();
        }
    }

    private void Accept()
    {
        int fd = LibC.Accept(_listener, null, null, 0x80000 | LibC.SockNonblock);
        if (fd < 0)
        {
            // Out of descriptors the connection stays pending, and asking again at once would be a loop.
            Thread.Sleep(NoDescriptorMs);
            return;
        }

        var client = new ControlClient(fd);
        if (!_groupMay && !(LibC.TryGetPeer(fd, out uint user) && (user == 0 || user == _owner)))
        {
            client.Refuse("this socket is for root and its owner");
            client.Dispose();
            return;
        }

        _clients.Add(client);
    }

    private static UsageException Failed(string path, string what) => new($"--control: {what}: {path}: {Marshal.GetLastPInvokeErrorMessage()}");
}
