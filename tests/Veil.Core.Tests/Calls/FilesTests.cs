// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Calls;

namespace Veil.Core.Tests.Calls;

/// <summary>Calls on files as strace 7.2 writes them, from bytes as the kernel gives them.</summary>
public sealed class FilesTests
{
    private const ulong AtFdCwd = unchecked((ulong)-100);
    private const SyscallArch Arch = SyscallArch.X64;

    [Fact]
    public void OpenAt_WithoutCreation_HasNoMode()
    {
        var record = new CallRecord(Arch, "openat", 3, AtFdCwd, 0x1000, 0x80000, 0).With(1, "/etc/hosts"u8);
        record.Text.ShouldBe("openat(AT_FDCWD, \"/etc/hosts\", O_RDONLY|O_CLOEXEC) = 3");
        record.Json.ShouldBe("{\"dfd\":\"AT_FDCWD\",\"filename\":\"/etc/hosts\",\"flags\":\"O_RDONLY|O_CLOEXEC\"}");
    }

    [Fact]
    public void OpenAt_OfNewFile_HasMode() =>
        new CallRecord(Arch, "openat", 3, AtFdCwd, 0x1000, 0x242, 0x1a4).With(1, "a"u8).Text
            .ShouldBe("openat(AT_FDCWD, \"a\", O_RDWR|O_CREAT|O_TRUNC, 0644) = 3");

    [Fact]
    public void OpenAt_OfUnreadableName_HasAddress() =>
        new CallRecord(Arch, "openat", -14, AtFdCwd, 1, 0).With(1, default, CallChunkMarks.Unread).Text
            .ShouldBe("openat(AT_FDCWD, 0x1, O_RDONLY) = -1 EFAULT (Bad address)");

    [Fact]
    public void Stat_OfDevice_HasItsNumber()
    {
        byte[] stat = new byte[144];
        BinaryPrimitives.WriteUInt32LittleEndian(stat.AsSpan(24), 0x21b6);
        BinaryPrimitives.WriteUInt64LittleEndian(stat.AsSpan(40), 0x103);
        var record = new CallRecord(Arch, "fstat", 0, 0, 0x1000).Filled(1, stat);
        record.Text.ShouldBe("fstat(0, {st_mode=S_IFCHR|0666, st_rdev=makedev(0x1, 0x3), ...}) = 0");
        record.Json.ShouldBe("{\"fd\":0,\"statbuf\":{\"st_mode\":\"S_IFCHR|0666\",\"st_rdev\":\"makedev(0x1, 0x3)\"}}");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(143)]
    public void Stat_OfShortChunk_IsAnAddress(int bytes) =>
        new CallRecord(Arch, "fstat", 0, 0, 0x1000).Filled(1, new byte[bytes]).Text.ShouldBe("fstat(0, 0x1000) = 0");

    [Fact]
    public void Poll_WithResult_SaysWhatIsReady()
    {
        byte[] before = [3, 0, 0, 0, 1, 0, 0, 0], after = [3, 0, 0, 0, 1, 0, 1, 0];
        var record = new CallRecord(Arch, "poll", 1, 0x1000, 1, 0).With(0, before).Filled(0, after);
        record.Text.ShouldBe("poll([{fd=3, events=POLLIN}], 1, 0) = 1 ([{fd=3, revents=POLLIN}])");
        record.Json.ShouldBe("{\"ufds\":[{\"fd\":3,\"events\":\"POLLIN\",\"revents\":\"POLLIN\"}],\"nfds\":1,\"timeout_msecs\":0}");
    }

    [Fact]
    public void Fcntl_OfFlags_ExplainsTheResult() =>
        new CallRecord(Arch, "fcntl", 0x8402, 3, 3, 0).Text.ShouldBe("fcntl(3, F_GETFL) = 0x8402 (flags O_RDWR|O_APPEND|O_LARGEFILE)");

    [Fact]
    public void WriteV_OfTwoParts_ShowsBoth()
    {
        byte[] vector = new byte[32];
        BinaryPrimitives.WriteUInt64LittleEndian(vector, 0x2000);
        vector[8] = 2;
        BinaryPrimitives.WriteUInt64LittleEndian(vector.AsSpan(16), 1);
        vector[24] = 5;
        new CallRecord(Arch, "writev", -14, 4, 0x1000, 2).With(1, vector).With(1, "a\""u8, kind: CallChunkKind.Part).With(1, default,
            CallChunkMarks.Unread, CallChunkKind.Part, 1).Text
            .ShouldBe("writev(4, [{iov_base=\"a\\\"\", iov_len=2}, {iov_base=0x1, iov_len=5}], 2) = -1 EFAULT (Bad address)");
    }

    [Fact]
    public void Mknod_OfBlockDevice_HasItsNumber() =>
        new CallRecord(Arch, "mknodat", 0, AtFdCwd, 0x1000, 0x6180, 0x12345678).With(1, "b"u8).Text
            .ShouldBe("mknodat(AT_FDCWD, \"b\", S_IFBLK|0600, makedev(0x456, 0x12378)) = 0");

    // Whatever bytes the kernel's side hands over, a line comes out.
    [Fact]
    public void AnyCall_OfAnyBytes_IsWritten()
    {
        var random = new Random(1);
        byte[] bytes = new byte[136];
        foreach (var arch in new[] { SyscallArch.X64, SyscallArch.I386, SyscallArch.Arm64 })
        {
            foreach (string name in SyscallTable.For(arch).Names)
            {
                for (int round = 0; round < 8; round++)
                {
                    random.NextBytes(bytes);
                    ulong[] args = [.. Enumerable.Range(0, 6).Select(_ =>
                        round % 2 == 0 ? (ulong)random.Next(40) : (ulong)random.NextInt64())];
                    var record = new CallRecord(arch, name, random.Next(-2, 64), args);
                    for (int arg = 0; arg < 6; arg++)
                    {
                        var part = bytes.AsSpan(0, random.Next(bytes.Length + 1));
                        record.With(arg, part).Filled(arg, part).With(arg, part, default, CallChunkKind.Part);
                    }

                    record.Text.ShouldNotBeEmpty(name);
                    record.Json.ShouldNotBeEmpty(name);
                }
            }
        }
    }
}
