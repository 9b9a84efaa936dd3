// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using Veil.Core.Calls;

namespace Veil.Core.Tests.Calls;

/// <summary>What descriptors stand for, as strace 7.2 writes it with <c>-yy</c>.</summary>
public sealed class DescriptorTests
{
    private static readonly CallOptions s_paths = new(Descriptors: DescriptorDetail.Path);

    [Theory]
    [InlineData("/srv/app.conf", "</srv/app.conf>")]
    [InlineData("pipe:[7]", "<pipe:[7]>")]
    [InlineData("/a \"b\"<c>\n\u001b", "</a \\\"b\\\"\\74c\\76\\n\\33>")]
    public void Close_OfAPath_HasItInBrackets(string path, string expected) =>
        Close().Described(0, Encoding.UTF8.GetBytes(path)).Text.ShouldBe($"close(3{expected}) = 0");

    [Fact]
    public void Close_OfADeletedFile_SaysSoOutsideTheBrackets() =>
        Close().Described(0, "/memfd:x (deleted)"u8, marks: CallChunkMarks.Deleted).Text.ShouldBe("close(3</memfd:x>(deleted)) = 0");

    [Fact]
    public void Close_OfAFileThatIsNamedSo_IsNotDeleted() =>
        Close().Described(0, "/x (deleted)"u8).Text.ShouldBe("close(3</x (deleted)>) = 0");

    [Fact]
    public void Close_OfDevices_HasTheirNumbersWithAllDetail()
    {
        var character = Close().Described(0, "/dev/null"u8, marks: CallChunkMarks.Detailed, detail: (1 << 20) | 3);
        character.Text.ShouldBe("close(3</dev/null<char 1:3>>) = 0");
        character.TextOf(s_paths).ShouldBe("close(3</dev/null>) = 0");
        character.Fds.ShouldBe("\"fd\":\"/dev/null\"");
        Close().Described(0, "/dev/sda1"u8, marks: CallChunkMarks.Detailed, detail: (1UL << 32) | (8 << 20) | 1).Text.ShouldBe(
            "close(3</dev/sda1<block 8:1>>) = 0");
    }

    [Theory]
    [InlineData("anon_inode:[pidfd]", 14086, "<pid:14086>")]
    [InlineData("anon_inode:[signalfd]", 0x10200, "<signalfd:[USR1 CHLD]>")]
    [InlineData("anon_inode:[eventfd]", 0x8000000100000003, "<{eventfd-count=0x3, eventfd-id=1, eventfd-semaphore=1}>")]
    [InlineData("anon_inode:[eventpoll]", 5, "<anon_inode:[eventpoll]>")]
    public void Close_OfAnonymousInodes_SaysWhatTheyHold(string path, ulong detail, string expected)
    {
        var record = Close().Described(0, Encoding.UTF8.GetBytes(path), marks: CallChunkMarks.Detailed, detail: detail);
        record.Text.ShouldBe($"close(3{expected}) = 0");
        record.TextOf(s_paths).ShouldBe($"close(3<{path}>) = 0");
    }

    [Theory]
    [InlineData("TCP", 2, 0, 0, "TCP:[9]")]
    [InlineData("TCP", 2, 80, 0, "TCP:[127.0.0.1:80]")]
    [InlineData("TCP", 2, 80, 5000, "TCP:[127.0.0.1:80->10.0.0.2:5000]")]
    [InlineData("UDP", 2, 53, 0, "UDP:[127.0.0.1:53]")]
    [InlineData("TCPv6", 10, 80, 5000, "TCPv6:[[::1]:80->[fe80::2]:5000]")]
    [InlineData("RAW", 2, 1, 0, "RAW:[9]")]
    [InlineData("PACKET", 17, 0, 0, "socket:[9]")]
    public void Close_OfInternetSockets_HasBothEnds(string protocol, int family, int local, int remote, string expected)
    {
        var record = Close().With(0, Socket(protocol, family, local, remote), kind: CallChunkKind.Socket);
        record.Text.ShouldBe($"close(3<{expected}>) = 0");
        record.TextOf(s_paths).ShouldBe("close(3<socket:[9]>) = 0");
        record.TextOf(new CallOptions(Descriptors: DescriptorDetail.None)).ShouldBe("close(3) = 0");
        record.Fds.ShouldBe($"\"fd\":\"{expected}\"");
    }

    [Theory]
    [InlineData(0, "", "UNIX-STREAM:[9]")]
    [InlineData(10, "", "UNIX-STREAM:[9->10]")]
    [InlineData(0, "/run/a \"b\"\0", "UNIX-STREAM:[9,\"/run/a \\\"b\\\"\"]")]
    [InlineData(10, "\0name\u0001", "UNIX-STREAM:[9->10,@\"name\\1\"]")]
    public void Close_OfUnixSockets_HasInodesAndPath(ulong peer, string path, string expected)
    {
        byte[] socket = Socket("UNIX-STREAM", 1, 0, 0);
        BinaryPrimitives.WriteUInt64LittleEndian(socket.AsSpan(8), peer);
        BinaryPrimitives.WriteInt32LittleEndian(socket.AsSpan(72), path.Length);
        Encoding.ASCII.GetBytes(path, socket.AsSpan(76));
        Close().With(0, socket, kind: CallChunkKind.Socket).Text.ShouldBe($"close(3<{expected}>) = 0");
    }

    [Fact]
    public void Close_OfNetlink_HasProtocolAndPort()
    {
        byte[] socket = Socket("NETLINK", 16, 0, 0);
        Close().With(0, socket, kind: CallChunkKind.Socket).Text.ShouldBe("close(3<NETLINK:[9]>) = 0");
        BinaryPrimitives.WriteUInt64LittleEndian(socket.AsSpan(8), 812);
        socket[22] = 15;
        Close().With(0, socket, kind: CallChunkKind.Socket).Text.ShouldBe("close(3<NETLINK:[KOBJECT_UEVENT:812]>) = 0");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(80)]
    public void Close_OfAShortSocket_HasNothing(int bytes) =>
        Close().With(0, Socket("TCP", 2, 80, 0).AsSpan(0, bytes), kind: CallChunkKind.Socket).Text.ShouldBe("close(3<>) = 0");

    [Fact]
    public void Pipe_HasBothEnds()
    {
        var record = new CallRecord(SyscallArch.X64, "pipe2", 0, 0x1000, 0).Filled(0, [3, 0, 0, 0, 4, 0, 0, 0])
            .Described(0, "pipe:[7]"u8, 0).Described(0, "pipe:[8]"u8, 1);
        record.Text.ShouldBe("pipe2([3<pipe:[7]>, 4<pipe:[8]>], 0) = 0");
        record.Json.ShouldBe("{\"fildes\":[3,4],\"flags\":\"0\"}");
        record.Fds.ShouldBe("\"fildes\":[\"pipe:[7]\",\"pipe:[8]\"]");
    }

    [Fact]
    public void Select_DescribesWhatIsAskedAndNotWhatIsFound()
    {
        byte[] set = new byte[128];
        set[0] = 0x28; // 3 and 5
        var record = new CallRecord(SyscallArch.X64, "select", 2, 6, 0x1000, 0, 0, 0).With(1, set).Filled(1, set).Described(1, "/a"u8, 0)
            .Described(1, "/b"u8, 1);
        record.Text.ShouldBe("select(6, [3</a> 5</b>], NULL, NULL, NULL) = 2 (in [3 5])");
        record.Fds.ShouldBe("\"inp\":[\"/a\",\"/b\"]");
    }

    [Fact]
    public void Fcntl_DescribesItsResultOnlyWhereItIsADescriptor()
    {
        new CallRecord(SyscallArch.X64, "fcntl", 9, 3, 0, 9).Described(0, "/x"u8)
            .Described(7, "/x"u8).Fds.ShouldBe("\"fd\":\"/x\",\"ret\":\"/x\"");
        new CallRecord(SyscallArch.X64, "fcntl", 1, 3, 1, 0).Described(0, "/x"u8).Described(7, "/dev/null"u8).Fds.ShouldBe("\"fd\":\"/x\"");
    }

    private static CallRecord Close() => new(SyscallArch.X64, "close", 0, 3);

    // struct syscall_socket of arguments.bpf.h
    private static byte[] Socket(string protocol, int family, int local, int remote)
    {
        byte[] socket = new byte[184];
        socket[0] = 9;
        BinaryPrimitives.WriteUInt16LittleEndian(socket.AsSpan(16), (ushort)family);
        BinaryPrimitives.WriteUInt16LittleEndian(socket.AsSpan(18), (ushort)local);
        BinaryPrimitives.WriteUInt16LittleEndian(socket.AsSpan(20), (ushort)remote);
        byte[] from = family == 10 ? [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] : [127, 0, 0, 1];
        byte[] to = family == 10 ? [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2] : [10, 0, 0, 2];
        from.CopyTo(socket, 24);
        to.CopyTo(socket, 40);
        Encoding.ASCII.GetBytes(protocol, socket.AsSpan(56));
        return socket;
    }
}
