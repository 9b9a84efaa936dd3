// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;

namespace Veil.Core.Interop;

/// <summary>Addresses of names, and connections to them.</summary>
internal static unsafe partial class LibC
{
    private const int SockStream = 1;
    private const int SoError = 4;
    private const int SystemError = -11; // EAI_SYSTEM

    /// <summary>The addresses of a host, each as connect(2) takes it; it may take seconds.</summary>
    /// <param name="host">A name or an address.</param>
    /// <param name="port">The port.</param>
    /// <param name="refusal">Why there is none.</param>
    public static List<byte[]> Resolve(string host, int port, out string refusal)
    {
        var found = new List<byte[]>();
        var hints = new AddressInfo { Type = SockStream };
        AddressInfo* first;
        int result;
        fixed (byte* name = Encoding.ASCII.GetBytes(host + "\0"), service = Encoding.ASCII.GetBytes($"{port}\0"))
            result = GetAddrInfo(name, service, &hints, &first);
        refusal = result == SystemError ? Marshal.GetLastPInvokeErrorMessage() : Marshal.PtrToStringUTF8(GaiError(result)) ?? "";
        if (result != 0)
            return found;
        for (var one = first; one != null; one = one->Next)
            found.Add(new Span<byte>(one->Address, (int)one->AddressBytes).ToArray());
        FreeAddrInfo(first);
        return found;
    }

    /// <summary>Connects a socket to one of them.</summary>
    public static int ConnectToAddress(int socket, byte[] address)
    {
        fixed (byte* data = address)
            return Connect(socket, data, address.Length);
    }

    /// <summary>What became of a connection that was begun.</summary>
    public static int ErrorOf(int socket)
    {
        int error = 0, length = sizeof(int);
        _ = GetSockOpt(socket, SolSocket, SoError, &error, &length);
        return error;
    }

    [LibraryImport("libc", EntryPoint = "getaddrinfo", SetLastError = true)]
    private static partial int GetAddrInfo(byte* host, byte* service, AddressInfo* hints, AddressInfo** result);

    [LibraryImport("libc", EntryPoint = "freeaddrinfo")]
    private static partial void FreeAddrInfo(AddressInfo* first);

    [LibraryImport("libc", EntryPoint = "gai_strerror")]
    private static partial nint GaiError(int error);

    // struct addrinfo
    [StructLayout(LayoutKind.Sequential)]
    private struct AddressInfo
    {
        public int Flags;
        public int Family;
        public int Type;
        public int Protocol;
        public uint AddressBytes;
        public byte* Address;
        public byte* Name;
        public AddressInfo* Next;
    }
}
