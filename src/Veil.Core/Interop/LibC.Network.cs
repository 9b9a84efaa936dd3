// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Veil.Core.Interop;

/// <summary>TCP sockets, for the same reason.</summary>
internal static unsafe partial class LibC
{
    public const int AfInet = 2;
    public const int AfInet6 = 10;
    private const int SoReuseAddress = 2;
    private const int Tcp = 6; // IPPROTO_TCP
    private const int TcpNoDelay = 1;
    private const int Ipv6 = 41; // IPPROTO_IPV6
    private const int Ipv6Only = 26;

    // struct sockaddr_in, and sockaddr_in6: the family, the port, the address.
    private const int Inet4Bytes = 16;
    private const int Inet6Bytes = 28;
    private const int Inet4At = 4;
    private const int Inet6At = 8;
    private const int ScopeAt = 24;

    /// <summary>Binds a socket to an address, which an earlier one may have had a moment ago.</summary>
    public static int BindTo(int socket, IPEndPoint place)
    {
        int one = 1;
        _ = SetSockOpt(socket, SolSocket, SoReuseAddress, &one, sizeof(int));
        if (place.AddressFamily == AddressFamily.InterNetworkV6)
            _ = SetSockOpt(socket, Ipv6, Ipv6Only, &one, sizeof(int));
        byte* address = stackalloc byte[Inet6Bytes];
        return Bind(socket, address, Fill(address, place));
    }

    /// <summary>Has what is written sent at once: a head and a body in two pieces would wait 40 ms for each other (tcp(7)). Connections
    /// that a
    /// listener accepts take it over.</summary>
    public static void SendAtOnce(int socket)
    {
        int one = 1;
        _ = SetSockOpt(socket, Tcp, TcpNoDelay, &one, sizeof(int));
    }

    /// <summary>The port that a bound socket has.</summary>
    public static int PortOf(int socket)
    {
        byte* address = stackalloc byte[Inet6Bytes];
        int length = Inet6Bytes;
        return GetSockName(socket, address, &length) == 0 ? BinaryPrimitives.ReadUInt16BigEndian(new ReadOnlySpan<byte>(address + 2, 2)) : 0;
    }

    private static int Fill(byte* address, IPEndPoint place)
    {
        bool isV6 = place.AddressFamily == AddressFamily.InterNetworkV6;
        int length = isV6 ? Inet6Bytes : Inet4Bytes;
        new Span<byte>(address, length).Clear();
        *(ushort*)address = (ushort)(isV6 ? AfInet6 : AfInet);
        BinaryPrimitives.WriteUInt16BigEndian(new Span<byte>(address + 2, 2), (ushort)place.Port);
        place.Address.TryWriteBytes(new Span<byte>(address + (isV6 ? Inet6At : Inet4At), length), out _);
        if (isV6)
            *(uint*)(address + ScopeAt) = (uint)place.Address.ScopeId;
        return length;
    }

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetSockOpt(int socket, int level, int name, void* value, int length);

    [LibraryImport("libc", EntryPoint = "getsockname", SetLastError = true)]
    private static partial int GetSockName(int socket, void* address, int* length);
}
