// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf;
using Veil.Core.Interop;
using Veil.Core.Privileged;
using Veil.Core.Waiting;

namespace Veil.Core.Control;

/// <summary>
/// The control socket. One thread serves all clients, a command of each user in turn, and never waits for one. What all of them hold is
/// bounded, in number and in bytes; beyond that who has been idle longest is closed, root last.
/// </summary>
public sealed unsafe class ControlServer : IDisposable
{
    /// <summary>The longest line in bytes: 10,240 keys of ten digits fit.</summary>
    public const int LineBytesMax = 256 * 1024;

    // Of the bytes of all clients together: lines that are not complete, and answers that were not taken yet.
    private const int HeldBytesMax = 16 * 1024 * 1024;
    private const int ClientsMax = 256;
    private const int Backlog = 128;
    private const int NoDescriptorMs = 20;

    private readonly SocketFile? _file;
    private readonly uint? _group;
    private readonly uint _owner = LibC.EffectiveUser();
    private readonly int _listener;
    private readonly int _wake;
    private readonly List<ControlClient> _clients = [];
    private ControlCommands? _commands;
    private Thread? _thread;
    private bool _ending;

    private ControlServer(SocketFile? file, int listener, uint? group)
    {
        _file = file;
        _listener = listener;
        _group = group;
        _wake = LibC.EventFd(0, 0x80000);
    }

    /// <summary>Makes the socket; it answers from <see cref="Start"/> on.</summary>
    /// <param name="path">Where. A socket that nobody listens on any more, and that is ours, is replaced; anything else there is an
    /// error.</param>
    /// <param name="group">The group that may connect beside the owner and root, or none.</param>
    /// <exception cref="UsageException">The path or the group can be none.</exception>
    /// <exception cref="VeilException">There cannot be a socket there now.</exception>
    public static ControlServer Open(string path, string? group)
    {
        int length = Encoding.UTF8.GetByteCount(path);
        if (length is 0 or > LibC.SocketPathMax || path.Contains('\0', StringComparison.Ordinal))
            throw new UsageException(
                $"--control: '{path}' has {length} bytes, but a socket's path has 1 to {LibC.SocketPathMax}, and no NUL");
        uint? groupId = GroupId(group);
        int listener = LibC.Socket(LibC.AfUnix, LibC.SockStreamCloexec | LibC.SockNonblock, 0);
        if (listener < 0)
            throw Failed(path, "making a socket");
        SocketFile? file = null;
        try
        {
            file = SocketFile.Bind(listener, path, groupId);
            if (LibC.Listen(listener, Backlog) != 0)
                throw Failed(path, "listening");
            return new ControlServer(file, listener, groupId);
        }
        catch
        {
            file?.Dispose();
            _ = LibC.Close(listener);
            throw;
        }
    }

    /// <summary>Takes over a socket that another process has made, and removes.</summary>
    /// <param name="listener">It listens.</param>
    /// <param name="group">As for <see cref="Open"/>.</param>
    public static ControlServer Inherit(int listener, string? group) => new(file: null, listener, GroupId(group));

    /// <summary>The socket that listens.</summary>
    public int Listener => _listener;

    /// <summary>The socket's file, which has to go at the end.</summary>
    internal SocketFile File => _file ?? throw new InvalidOperationException("the socket's file is another process's");

    /// <summary>Removes the socket where this process may not any more.</summary>
    internal RootClient? Root { get; set; }

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
        // The name goes first: while the socket is open its inode's number is nobody else's.
        _file?.Remove(Root);
        _ = LibC.Close(_listener);
        _ = LibC.Close(_wake);
    }

    private static uint? GroupId(string? group) => group is null ? null : NameService.TryGetGroupId(group, out uint id) ? id
        : throw new UsageException($"--control-group: '{group}' is no group of this system");

    private void Serve()
    {
        // The reader of events, from whom the thread has its priority, goes before it: a flood of commands must not cost events.
        _ = LibC.SetPriority(0, 0, 0);
        var fds = new LibC.PollFd[ClientsMax + 2];
        while (!Volatile.Read(ref _ending))
        {
            fds[0] = new() { Fd = _wake, Events = LibC.PollIn };
            fds[1] = new() { Fd = _listener, Events = LibC.PollIn };
            bool moreToDo = false;
            for (int i = 0; i < _clients.Count; i++)
            {
                fds[i + 2] = new() { Fd = _clients[i].Fd, Events = _clients[i].Wants };
                moreToDo |= _clients[i].HasCommand;
            }

            int served = _clients.Count;
            fixed (LibC.PollFd* set = fds)
            {
                if (LibC.Poll(set, (nuint)(served + 2), moreToDo ? 0 : -1) < 0)
                    continue;
            }

            for (int i = served - 1; i >= 0; i--)
            {
                if (fds[i + 2].Returned != 0 && !_clients[i].Transfer())
                    Close(_clients[i]);
            }

            // However many clients a user has, each user has one command in a round: the others' come next.
            foreach (
                var client in _clients.Where(static client => client.HasCommand).GroupBy(static client => client.User)
                .Select(static one => one.MinBy(static client => client.ActiveAt)!).ToList())
            {
                if (!client.Execute(_commands!))
                    Close(client);
            }

            BoundBytes();
            // All that wait, up to what the kernel lets wait: who comes last may be root.
            for (int waiting = Backlog; (fds[1].Returned & LibC.PollIn) != 0 && waiting > 0 && Accept(); waiting--)
            {
            }
        }
    }

    private bool Accept()
    {
        int fd = LibC.Accept(_listener, null, null, 0x80000 | LibC.SockNonblock);
        if (fd < 0)
        {
            // Out of descriptors: the connection stays pending until one is free.
            if (Marshal.GetLastPInvokeError() is not (Errno.EMFILE or Errno.ENFILE))
                return false;
            if (LongestIdle(_clients) is { } idle)
                Close(idle, "another one came, and there are no more descriptors");
            else
                Thread.Sleep(NoDescriptorMs);
            return true;
        }

        bool known = LibC.TryGetPeer(fd, out uint user);
        var client = new ControlClient(fd, user);
        if (_group is null && !(known && (user == 0 || user == _owner)))
            client.Refuse("this socket is for root and its owner");
        else if (_clients.Count >= ClientsMax && !MakeRoomFor(user))
            client.Refuse($"there are {ClientsMax} clients, and all are root's");
        else
            _clients.Add(client);
        return true;
    }

    // Who has the most clients has one too many. Root's own make room for root alone.
    private bool MakeRoomFor(uint user)
    {
        var most = _clients.Where(client => client.User != 0 || user == 0).GroupBy(static client => client.User)
            .OrderBy(static one => one.Key == 0).ThenByDescending(static one => one.Count()).FirstOrDefault();
        if (LongestIdle(most ?? Enumerable.Empty<ControlClient>()) is not { } idle)
            return false;
        Close(idle, $"another one came, and there are {ClientsMax} clients");
        return true;
    }

    private void BoundBytes()
    {
        while (_clients.Sum(static client => (long)client.HeldBytes) > HeldBytesMax)
            Close(LongestIdle(_clients.Where(static client => client.HeldBytes > ControlClient.ChunkBytes))!,
                "too much waits for all clients together, and longest for this one");
    }

    private static ControlClient? LongestIdle(IEnumerable<ControlClient> clients) =>
        clients.OrderBy(static client => client.User == 0).ThenBy(static client => client.ActiveAt).FirstOrDefault();

    private void Close(ControlClient client, string? why = null)
    {
        if (why is not null)
            client.Refuse(why);
        else
            client.Dispose();
        _clients.Remove(client);
    }

    private static VeilException Failed(string path, string what) =>
        new($"--control: {what}: {path}: {Marshal.GetLastPInvokeErrorMessage()}");
}
