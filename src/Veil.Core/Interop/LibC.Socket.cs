// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Core.Interop;

/// <summary>Unix sockets. .NET's own would bring its whole engine of asynchronous sockets into the binary.</summary>
internal static unsafe partial class LibC
{
    public const int AfUnix = 1;
    public const int SockStreamCloexec = 1 | 0x80000;
    public const int SockNonblock = 0x800;
    public const int SolSocket = 1;
    public const int SoPeerCred = 17;
    public const int MsgNoSignal = 0x4000;

    // struct sockaddr_un: the family, then a path of 108 bytes with its NUL.
    public const int SocketPathMax = 107;
    private const int SocketAddressBytes = 2 + 108;

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    internal static partial int Socket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "listen", SetLastError = true)]
    internal static partial int Listen(int socket, int backlog);

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)]
    internal static partial int Accept(int socket, void* address, void* length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    internal static partial nint Receive(int socket, byte* data, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    internal static partial nint Send(int socket, byte* data, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    internal static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "umask")]
    internal static partial uint UMask(uint mask);

    // It sets nothing where the kernel says no, and tells the group before either way (setfsgid(2)).
    [LibraryImport("libc", EntryPoint = "setfsgid")]
    internal static partial int SetFileGroup(uint group);

    [LibraryImport("libc", EntryPoint = "fchdir", SetLastError = true)]
    internal static partial int ChangeFolder(int folder);

    /// <summary>Opens a folder to name files in, and for nothing else (O_PATH).</summary>
    public static int OpenFolder(string path)
    {
        const int pathDirectoryCloexec = 0x200000 | 0x80000;
        int directory = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : 0x10000;
        fixed (byte* name = System.Text.Encoding.UTF8.GetBytes(path + "\0"))
            return OpenAt(AtFdCwd, name, pathDirectoryCloexec | directory, 0);
    }

    /// <summary>Opens what a name, ended by a NUL, means in a folder: not what a link leads to, and for nothing but to know it again
    /// (O_PATH).</summary>
    public static int OpenName(int folder, ReadOnlySpan<byte> name)
    {
        const int pathCloexec = 0x200000 | 0x80000;
        int noFollow = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;
        fixed (byte* data = name)
            return OpenAt(folder, data, pathCloexec | noFollow, 0);
    }

    /// <summary>Removes a name, ended by a NUL, from a folder.</summary>
    public static int UnlinkAt(int folder, ReadOnlySpan<byte> name)
    {
        fixed (byte* data = name)
            return UnlinkAt(folder, data, 0);
    }

    /// <summary>Binds a socket to a path.</summary>
    public static int BindTo(int socket, ReadOnlySpan<byte> path)
    {
        byte* address = stackalloc byte[SocketAddressBytes];
        Fill(address, path);
        return Bind(socket, address, SocketAddressBytes);
    }

    /// <summary>Connects a socket to a path.</summary>
    public static int ConnectTo(int socket, ReadOnlySpan<byte> path)
    {
        byte* address = stackalloc byte[SocketAddressBytes];
        Fill(address, path);
        return Connect(socket, address, SocketAddressBytes);
    }

    /// <summary>Connects a socket to a path, or to a name that begins with a NUL and has no file (unix(7)).</summary>
    public static int ConnectToName(int socket, ReadOnlySpan<byte> name)
    {
        byte* address = stackalloc byte[SocketAddressBytes];
        Fill(address, name);
        return Connect(socket, address, sizeof(ushort) + name.Length);
    }

    /// <summary>Who is at the other end of a connected socket (SO_PEERCRED, unix(7)).</summary>
    public static bool TryGetPeer(int socket, out uint user) => TryGetPeer(socket, out user, out _);

    /// <summary>The same with its process, as our PID namespace numbers it: who began to listen.</summary>
    public static bool TryGetPeer(int socket, out uint user, out int pid)
    {
        uint* credentials = stackalloc uint[3]; // pid, uid, gid
        int length = 3 * sizeof(uint);
        bool known = GetSockOpt(socket, SolSocket, SoPeerCred, credentials, &length) == 0;
        (pid, user) = ((int)credentials[0], credentials[1]);
        return known;
    }

    private static void Fill(byte* address, ReadOnlySpan<byte> path)
    {
        new Span<byte>(address, SocketAddressBytes).Clear();
        *(ushort*)address = AfUnix;
        path.CopyTo(new Span<byte>(address + 2, SocketPathMax));
    }

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(int socket, void* address, int length);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    private static partial int Connect(int socket, void* address, int length);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    private static partial int OpenAt(int folder, byte* path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true)]
    private static partial int UnlinkAt(int folder, byte* name, int flags);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    private static partial int GetSockOpt(int socket, int level, int name, void* value, int* length);
}
