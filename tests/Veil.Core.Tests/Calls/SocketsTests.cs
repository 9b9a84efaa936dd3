// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Calls;

namespace Veil.Core.Tests.Calls;

/// <summary>Calls on sockets as strace 7.2 writes them, from bytes as the kernel gives them.</summary>
public sealed class SocketsTests
{
    private const SyscallArch Arch = SyscallArch.X64;
    private const ulong None = ulong.MaxValue;

    private static readonly byte[] s_inet = [2, 0, 0x1f, 0x90, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];

    [Fact]
    public void Socket_OfEachFamily_NamesItsProtocol()
    {
        new CallRecord(Arch, "socket", 3, 2, 0x80801, 6).Text
            .ShouldBe("socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_TCP) = 3");
        new CallRecord(Arch, "socket", 3, 16, 3, 0).Text.ShouldBe("socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) = 3");
        new CallRecord(Arch, "socket", 3, 17, 2, 0x300).Text.ShouldBe("socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL)) = 3");
        new CallRecord(Arch, "socket", -22, 2, 0x7f, 12345).Text
            .ShouldBe("socket(AF_INET, 0x7f /* SOCK_??? */, 0x3039 /* IPPROTO_??? */) = -1 EINVAL (Invalid argument)");
        new CallRecord(Arch, "socket", -22, 2, 0x12, 0).Text
            .ShouldBe("socket(AF_INET, SOCK_DGRAM|0x10 /* SOCK_??? */, IPPROTO_IP) = -1 EINVAL (Invalid argument)");
    }

    [Fact]
    public void Connect_OfInet_HasPortAndAddress()
    {
        var record = new CallRecord(Arch, "connect", 0, 3, 0x1000, 16).With(1, s_inet);
        record.Text.ShouldBe("connect(3, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0");
        record.Json.ShouldBe("{\"fd\":3,\"uservaddr\":{\"sa_family\":\"AF_INET\",\"sin_port\":8080,"
            + "\"sin_addr\":\"127.0.0.1\"},\"addrlen\":16}");
    }

    [Fact]
    public void Connect_OfInet6_HasPortAndAddress()
    {
        byte[] address = new byte[28];
        address[0] = 10;
        address[3] = 80;
        address[23] = 1;
        var record = new CallRecord(Arch, "connect", 0, 3, 0x1000, 28).With(1, address);
        record.Text.ShouldBe("connect(3, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), "
            + "inet_pton(AF_INET6, \"::1\", &sin6_addr), sin6_scope_id=0}, 28) = 0");
        record.Json.ShouldBe("{\"fd\":3,\"uservaddr\":{\"sa_family\":\"AF_INET6\",\"sin6_port\":80,\"sin6_flowinfo\":0,"
            + "\"sin6_addr\":\"::1\",\"sin6_scope_id\":0},\"addrlen\":28}");
        // An address of IPv4 in it, and an interface of this link.
        BinaryPrimitives.WriteUInt32BigEndian(address.AsSpan(20), 0x0a010203);
        new CallRecord(Arch, "connect", 0, 3, 0x1000, 24).With(1, address).Text
            .ShouldBe("connect(3, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), "
                + "inet_pton(AF_INET6, \"::10.1.2.3\", &sin6_addr)}, 24) = 0");
        (address[8], address[9], address[24]) = (0xfe, 0x80, 1);
        new CallRecord(Arch, "connect", 0, 3, 0x1000, 28).With(1, address).Text
            .ShouldEndWith("sin6_scope_id=if_nametoindex(\"lo\")}, 28) = 0");
    }

    [Theory]
    [InlineData("\u0001\0/run/x\0y", 11, "sun_path=\"/run/x\"", "\"sun_path\":\"/run/x\"")]
    [InlineData("\u0001\0/run/x\0y", 6, "sun_path=\"/run\"", "\"sun_path\":\"/run\"")]
    [InlineData("\u0001\0\0a\0b", 6, "sun_path=@\"a\\0b\"", "\"sun_path\":\"@a\\u0000b\"")]
    [InlineData("\u0001\0\0", 3, "sun_path=@\"\"", "\"sun_path\":\"@\"")]
    public void Bind_OfUnix_HasPathOrAbstractName(string bytes, int size, string text, string json)
    {
        var record = new CallRecord(Arch, "bind", 0, 3, 0x1000, (ulong)size)
            .With(1, [.. bytes.Select(static character => (byte)character)]);
        record.Text.ShouldBe($"bind(3, {{sa_family=AF_UNIX, {text}}}, {size}) = 0");
        record.Json.ShouldBe($"{{\"fd\":3,\"umyaddr\":{{\"sa_family\":\"AF_UNIX\",{json}}},\"addrlen\":{size}}}");
    }

    [Theory]
    [InlineData(16, 1, "0x1000")]
    [InlineData(1, 16, "0x1000")]
    [InlineData(-1, 16, "0x1000")]
    [InlineData(2, 16, "{sa_family=AF_INET}")]
    [InlineData(7, 16, "{sa_family=AF_INET, sa_data=\"\\37\\220\\177\\0\\0\"}")]
    public void Connect_OfShortAddress_HasWhatIsThere(int size, int read, string address) =>
        new CallRecord(Arch, "connect", -22, 3, 0x1000, (ulong)size).With(1, s_inet.AsSpan(0, read)).Text
            .ShouldBe($"connect(3, {address}, {size}) = -1 EINVAL (Invalid argument)");

    [Fact]
    public void Accept_HasAddressAndBothLengths()
    {
        var record = new CallRecord(Arch, "accept4", 4, 3, 0x1000, 0x2000, 0x80000).With(2, [128, 0, 0, 0]).Filled(2, [16, 0, 0, 0])
            .Filled(1, s_inet);
        record.Text.ShouldBe("accept4(3, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr(\"127.0.0.1\")}, "
            + "[128 => 16], SOCK_CLOEXEC) = 4");
        record.Json.ShouldContain("\"upeer_addrlen\":[128,16]");
        // A room that is smaller than the address ends it.
        new CallRecord(Arch, "getsockname", 0, 3, 0x1000, 0x2000).With(2, [6, 0, 0, 0]).Filled(2, [16, 0, 0, 0]).Filled(1, s_inet).Text
            .ShouldBe("getsockname(3, {sa_family=AF_INET, sa_data=\"\\37\\220\\177\\0\"}, [6 => 16]) = 0");
        new CallRecord(Arch, "accept", -11, 3, 0x1000, 0x2000).With(2, [128, 0, 0, 0]).Text
            .ShouldBe("accept(3, 0x1000, [128]) = -1 EAGAIN (Resource temporarily unavailable)");
        new CallRecord(Arch, "accept", 4, 3, 0, 0).Text.ShouldBe("accept(3, NULL, NULL) = 4");
    }

    [Fact]
    public void Recvfrom_OfTruncatedDatagram_ShowsWhatThereWasRoomFor() =>
        new CallRecord(Arch, "recvfrom", 8, 3, 0x1000, 4, 0x20, 0, 0).Filled(1, "datagram"u8).Text
            .ShouldBe("recvfrom(3, \"data\", 4, MSG_TRUNC, NULL, NULL) = 8");

    [Fact]
    public void SendMsg_WithDescriptors_ShowsThem()
    {
        byte[] header = new byte[56], vector = new byte[16], control = new byte[24];
        header[17] = 0x20; // the vector's address
        header[24] = 1;
        header[33] = 0x30;
        header[40] = 24;
        vector[1] = 0x40;
        vector[8] = 2;
        (control[0], control[8], control[12], control[16]) = (20, 1, 1, 7);
        var record = new CallRecord(Arch, "sendmsg", 2, 3, 0x1000, 0x4000).With(1, header).With(1, vector, kind: CallChunkKind.Vector)
            .With(1, "hi"u8, kind: CallChunkKind.Part).With(1, control, kind: CallChunkKind.Control);
        record.Text.ShouldBe("sendmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=\"hi\", iov_len=2}], msg_iovlen=1, "
            + "msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[7]}], "
            + "msg_controllen=24, msg_flags=0}, MSG_NOSIGNAL) = 2");
        record.Json.ShouldContain(
            "\"msg_control\":[{\"cmsg_len\":20,\"cmsg_level\":\"SOL_SOCKET\",\"cmsg_type\":\"SCM_RIGHTS\",\"cmsg_data\":[7]}]");
    }

    /// <summary>What was not read of a message's descriptors is not left out in silence.</summary>
    [Fact]
    public void SendMsg_WithMoreDescriptorsThanWereRead_SaysSo()
    {
        byte[] header = new byte[56], control = new byte[24];
        header[33] = 0x30;
        header[40] = 48;
        (control[0], control[8], control[12], control[16], control[20]) = (48, 1, 1, 7, 8);
        new CallRecord(Arch, "sendmsg", 0, 3, 0x1000, 0).With(1, header).With(1, control, kind: CallChunkKind.Control).Text
            .ShouldContain("cmsg_type=SCM_RIGHTS, cmsg_data=[7, 8, ...]}]");
    }

    [Fact]
    public void RecvMsg_ThatFailed_HasTheLengthOfTheName()
    {
        byte[] header = new byte[56];
        header[8] = 16;
        new CallRecord(Arch, "recvmsg", -11, 3, 0x1000, 0x40).With(1, header).Text
            .ShouldBe("recvmsg(3, {msg_namelen=16}, MSG_DONTWAIT) = -1 EAGAIN (Resource temporarily unavailable)");
    }

    [Fact]
    public void SendMmsg_HasTheLengthOfThoseSent()
    {
        byte[] header = new byte[64], sent = new byte[64];
        sent[56] = 3;
        new CallRecord(Arch, "sendmmsg", 1, 3, 0x1000, 2, 0).With(1, header).With(9, header).Filled(1, sent).Text
            .ShouldBe("sendmmsg(3, [{msg_hdr={msg_name=NULL, msg_namelen=0, msg_iov=NULL, msg_iovlen=0, "
                + "msg_controllen=0, msg_flags=0}, msg_len=3}, "
                + "{msg_hdr={msg_name=NULL, msg_namelen=0, msg_iov=NULL, msg_iovlen=0, msg_controllen=0, msg_flags=0}}], 2, 0) = 1");
    }

    [Fact]
    public void Options_HaveNamesAndValuesOfTheirLevel()
    {
        Set(1, 2, [1, 0, 0, 0]).ShouldBe("setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0");
        Set(1, 13, [1, 0, 0, 0, 5, 0, 0, 0]).ShouldBe("setsockopt(3, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=5}, 8) = 0");
        Set(6, 13, "cubic"u8).ShouldBe("setsockopt(3, SOL_TCP, TCP_CONGESTION, \"cubic\", 5) = 0");
        Set(0, 35, [224, 0, 0, 1, 127, 0, 0, 1])
            .ShouldBe("setsockopt(3, SOL_IP, IP_ADD_MEMBERSHIP, "
                + "{imr_multiaddr=inet_addr(\"224.0.0.1\"), imr_interface=inet_addr(\"127.0.0.1\")}, 8) = 0");
        Set(255, 1, [0xc6, 0xe7, 0xff, 0xff]).ShouldBe("setsockopt(3, SOL_RAW, ICMP_FILTER, "
            + "~[ICMP_ECHOREPLY ICMP_DEST_UNREACH ICMP_SOURCE_QUENCH ICMP_REDIRECT ICMP_TIME_EXCEEDED ICMP_PARAMETERPROB], 4) = 0");
        Set(1, 2, [1, 0, 0]).ShouldBe("setsockopt(3, SOL_SOCKET, SO_REUSEADDR, 0x1000, 3) = 0");
        new CallRecord(Arch, "getsockopt", 0, 3, 1, 4, 0x1000, 0x2000).With(4, [4, 0, 0, 0]).Filled(4, [4, 0, 0, 0])
            .Filled(3, [111, 0, 0, 0]).Text
            .ShouldBe("getsockopt(3, SOL_SOCKET, SO_ERROR, [111], [4]) = 0");
        new CallRecord(Arch, "getsockopt", 0, 3, 1, 17, 0x1000, 0x2000).With(4, [64, 0, 0, 0]).Filled(4, [12, 0, 0, 0])
            .Filled(3, [5, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]).Text
            .ShouldBe("getsockopt(3, SOL_SOCKET, SO_PEERCRED, {pid=5, uid=1, gid=-1}, [64 => 12]) = 0");
        new CallRecord(Arch, "getsockopt", -95, 3, 1, 4, 0x1000, 0x2000).With(4, [4, 0, 0, 0]).Text
            .ShouldBe("getsockopt(3, SOL_SOCKET, SO_ERROR, 0x1000, [4]) = -1 EOPNOTSUPP (Operation not supported)");
    }

    [Fact]
    public void SendTo_OfNetlink_HasTheHeader()
    {
        byte[] message = [20, 0, 0, 0, 22, 0, 1, 3, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], address = [16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        new CallRecord(Arch, "sendto", 20, 3, 0x1000, 20, 0, 0x2000, 12).With(1, message).With(4, address).Text
            .ShouldBe("sendto(3, [{nlmsg_len=20, nlmsg_type=0x16 /* NLMSG_??? */, nlmsg_flags=NLM_F_REQUEST|0x300, "
                + "nlmsg_seq=5, nlmsg_pid=0}, "
                + "\"\\x00\\x00\\x00\\x00\"], 20, 0, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = 20");
    }

    [Fact]
    public void SocketCall_OfACallThatNobodyKnows_IsShownAsItIs() =>
        new CallRecord(SyscallArch.I386, "socketcall", 0, 99, 0x1000).Text
            .ShouldBe("socketcall(99, 0x1000) = 0");

    // Lengths in a message may be anything; what was read decides.
    [Fact]
    public void Messages_OfAnyBytes_AreWritten()
    {
        var random = new Random(2);
        byte[] bytes = new byte[512];
        string[] names = ["sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "sendto", "recvfrom", "setsockopt", "getsockopt", "connect",
            "accept4"];
        CallChunkKind[] kinds = [CallChunkKind.Value, CallChunkKind.Name, CallChunkKind.Vector, CallChunkKind.Part, CallChunkKind.Control];
        foreach (string name in names)
        {
            foreach (var arch in new[] { SyscallArch.X64, SyscallArch.I386, SyscallArch.Arm64 })
            {
                for (int round = 0; round < 400; round++)
                {
                    random.NextBytes(bytes);
                    // Small numbers reach further than random ones.
                    for (int at = 0; at < bytes.Length; at++)
                    {
                        if (round % 3 != 0)
                            bytes[at] = (byte)(at % 4 == 0 ? bytes[at] % 48 : round % 3 == 1 ? 0 : bytes[at] % 2 * 255);
                    }

                    ulong[] args = [(ulong)random.Next(8), (ulong)random.Next(300), (ulong)random.Next(60), 0x1000, (ulong)random.Next(40),
                        round % 2 == 0 ? 12 : None];
                    var record = new CallRecord(arch, name, random.Next(-2, 64), args);
                    for (int arg = 0; arg < 10; arg++)
                    {
                        foreach (var kind in kinds)
                        {
                            record.With(arg, bytes.AsSpan(random.Next(64), random.Next(200)), default, kind);
                            record.With(arg, bytes.AsSpan(random.Next(64), random.Next(200)), CallChunkMarks.Output, kind);
                        }
                    }

                    record.Text.ShouldNotBeEmpty(name);
                    record.Json.ShouldNotBeEmpty(name);
                }
            }
        }
    }

    private static string Set(ulong level, ulong name, ReadOnlySpan<byte> value) =>
        new CallRecord(Arch, "setsockopt", 0, 3, level, name, 0x1000, (ulong)value.Length).With(3, value).Text;
}
