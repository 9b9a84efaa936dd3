// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf;
using Veil.Core.Interop;
using Veil.Core.Privileged;

namespace Veil.Core.Control;

/// <summary>
/// The name of the control socket in its folder. The folder may belong to somebody else, who can put a link in the socket's place at any
/// moment: so the path is looked up once, to open the folder, and nothing is done to the socket by its name. Mode and group are right when
/// bind(2) makes it (umask(2), setfsgid(2)). What is removed is removed from that folder, and only if it is the socket that was seen
/// before; between that look and unlinkat(2) only who may write to the folder can change the name, and could remove it without our help.
/// </summary>
internal sealed unsafe class SocketFile : IDisposable
{
    private const uint OwnerOnly = 0x7f; // 0177, of a socket's 0777
    private const uint OwnerAndGroup = 0x4f; // 0117

    private readonly string _path;
    private readonly byte[] _name;
    private readonly int _folder;
    private LibC.FileFacts _made;

    private SocketFile(string path)
    {
        _path = path;
        int slash = path.LastIndexOf('/');
        _name = Encoding.UTF8.GetBytes(path[(slash + 1)..] + "\0");
        if (_name is [0] or [(byte)'.', 0] or [(byte)'.', (byte)'.', 0])
            throw new UsageException($"--control: {path} names a folder: give the path of a file in it");
        _folder = LibC.OpenFolder(slash < 0 ? "." : path[..(slash + 1)]);
        if (_folder < 0)
            throw Failed("opening its folder: ");
    }

    /// <summary>Makes the socket's file.</summary>
    /// <param name="listener">A socket without an address.</param>
    /// <param name="path">Where. A socket that nobody listens on any more, and that is ours, is replaced.</param>
    /// <param name="group">Its group, which may then use it too; or none.</param>
    /// <exception cref="VeilException">It cannot be there, or not with that group.</exception>
    public static SocketFile Bind(int listener, string path, uint? group)
    {
        var file = new SocketFile(path);
        try
        {
            // A socket's address has room for 107 bytes and none for a folder's descriptor, so the folder becomes the current one.
            int before = LibC.OpenFolder(".");
            if (before < 0 || LibC.ChangeFolder(file._folder) != 0)
                throw file.Failed("entering its folder: ");
            try
            {
                file.RemoveDead();
                file.Make(listener, group);
            }
            finally
            {
                _ = LibC.ChangeFolder(before);
                _ = LibC.Close(before);
            }

            return file;
        }
        catch
        {
            if (file.Socket >= 0)
                _ = LibC.Close(file.Socket);
            _ = LibC.Close(file._folder);
            throw;
        }
    }

    /// <summary>Its folder, open.</summary>
    public int Folder => _folder;

    /// <summary>The socket's file itself, by a descriptor that keeps its inode (O_PATH).</summary>
    public int Socket { get; private set; } = -1;

    /// <summary>Its name in the folder.</summary>
    public string Name => Encoding.UTF8.GetString(_name.AsSpan(0, _name.Length - 1));

    /// <summary>Its path, as it was given.</summary>
    public string Path => _path;

    /// <summary>Removes it, unless something else is in its place.</summary>
    /// <param name="root">Does it where we may not; or nothing.</param>
    public void Remove(RootClient? root)
    {
        if (!Remove(_made))
            root?.RemoveSocket();
        _ = LibC.Close(Socket);
        _ = LibC.Close(_folder);
    }

    public void Dispose() => Remove(root: null);

    private void Make(int listener, uint? group)
    {
        uint mask = LibC.UMask(group is null ? OwnerOnly : OwnerAndGroup);
        uint groupBefore = group is { } wanted ? (uint)LibC.SetFileGroup(wanted) : 0;
        int bound = LibC.BindTo(listener, _name.AsSpan(0, _name.Length - 1));
        int error = Marshal.GetLastPInvokeError();
        if (group is not null)
            _ = LibC.SetFileGroup(groupBefore);
        _ = LibC.UMask(mask);
        if (bound != 0)
            throw new VeilException($"--control: {_path}: {Marshal.GetPInvokeErrorMessage(error)}");

        Socket = LibC.OpenName(_folder, _name);
        if (!LibC.TryGetFacts(Socket, out _made) || _made.Type != LibC.FileType.Socket || _made.User != LibC.EffectiveUser())
        {
            _made = default;
            throw new VeilException($"--control: {_path} was replaced as it was made: give a folder that nobody else may write to");
        }

        if (group is { } gid && _made.Group != gid)
        {
            _ = Remove(_made);
            throw new VeilException(
                $"--control-group: {_path} got another group: its folder gives its own (setgid), or this process may not give that one " +
                $"(run it as root, or by sg)");
        }
    }

    private void RemoveDead()
    {
        if (!LibC.TryGetFacts(_folder, _name, out var there))
            return;
        if (there.Type != LibC.FileType.Socket)
            throw new VeilException($"--control: {_path} exists and is no socket; it is left alone: give another path");
        int probe = LibC.Socket(LibC.AfUnix, LibC.SockStreamCloexec | LibC.SockNonblock, 0);
        int answer = LibC.ConnectTo(probe, _name.AsSpan(0, _name.Length - 1));
        int error = Marshal.GetLastPInvokeError();
        _ = LibC.Close(probe);
        if (answer == 0 || error != Errno.ECONNREFUSED)
            throw new VeilException(
                $"--control: {_path} is in use{(answer == 0 ? "" : $" ({Marshal.GetPInvokeErrorMessage(error)})")}: give another path");
        if (there.User != LibC.EffectiveUser())
            throw new VeilException($"--control: {_path} is a socket of another user: give another path");
        if (!Remove(there))
            throw Failed("removing the dead socket: ");
    }

    private bool Remove(in LibC.FileFacts seen) =>
        LibC.TryGetFacts(_folder, _name, out var there) && there.IsSame(seen) && LibC.UnlinkAt(_folder, _name) == 0;

    private VeilException Failed(string what) => new($"--control: {what}{_path}: {Marshal.GetLastPInvokeErrorMessage()}");
}
