// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Kernel;

/// <summary>The calls that i386 has behind <c>socketcall</c>. They have numbers here that the kernel does not use.</summary>
public static class SocketcallTable
{
    private const int First = 1000; // less than SYSCALL_TABLE_CALLS of arguments.bpf.h, and more than any call
    private const string Names = "socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom "
        + "shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg"; // include/uapi/linux/net.h, from 1 on

    private static readonly string[] s_names = Names.Split(' ');
    private static readonly byte[][] s_namesUtf8 = [.. s_names.Select(System.Text.Encoding.UTF8.GetBytes)];

    /// <summary>How many there are; they are asked for by 1 and so on.</summary>
    public static int Count => s_names.Length;

    /// <summary>The name of one.</summary>
    /// <param name="call">What <c>socketcall</c> is asked for.</param>
    public static string NameOf(int call) => s_names[call - 1];

    /// <summary>The number of one.</summary>
    /// <param name="call">What <c>socketcall</c> is asked for.</param>
    public static int NumberOf(uint call) => First + (int)call;

    /// <summary>The name of a number; empty where it is none of these.</summary>
    internal static ReadOnlySpan<byte> NameUtf8(int number) =>
        (uint)(number - First - 1) < (uint)s_namesUtf8.Length ? s_namesUtf8[number - First - 1] : default;

    /// <summary>The call of the same parameters, or of more, that i386 has.</summary>
    internal static string SameAs(int number) => NameOf(number - First) switch
    {
        "accept" => "accept4",
        "send" => "sendto",
        "recv" => "recvfrom",
        var name => name,
    };
}
