// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;

namespace Veil.Core.Tests.Calls;

/// <summary>Calls on memory as strace 7.2 writes them, from bytes as the kernel gives them.</summary>
public sealed class MemoryTests
{
    private const SyscallArch Arch = SyscallArch.X64;

    [Fact]
    public void MovePages_WithStatus_NamesErrors()
    {
        byte[] pages = new byte[16], status = new byte[8];
        pages[8] = 1;
        BinaryPrimitives.WriteInt32LittleEndian(status, -14);
        var record = new CallRecord(Arch, "move_pages", 0, 0, 2, 0x1000, 0, 0x2000, 2).With(2, pages).Filled(4, status);
        record.Text.ShouldBe("move_pages(0, 2, [NULL, 0x1], NULL, [-EFAULT, 0], MPOL_MF_MOVE) = 0");
        record.Json.ShouldBe("{\"pid\":0,\"nr_pages\":2,\"pages\":[null,\"0x1\"],\"nodes\":null,\"status\":[\"-EFAULT\",0],\"flags\":\"MPOL_MF_MOVE\"}");
    }

    [Theory]
    [InlineData(0x22, "MAP_PRIVATE|MAP_ANONYMOUS")]
    [InlineData(0, "MAP_FILE")]
    [InlineData(0x54040022, "MAP_PRIVATE|MAP_ANONYMOUS|MAP_HUGETLB|21<<MAP_HUGE_SHIFT")]
    [InlineData(0x7, "0x7 /* MAP_??? */")]
    public void Mmap_OfFlags_IsAsStraceHasIt(ulong flags, string text) =>
        new CallRecord(Arch, "mmap", 0x7f0000000000, 0, 4096, 3, flags, unchecked((ulong)-1), 0x1000).Text
            .ShouldBe($"mmap(NULL, 4096, PROT_READ|PROT_WRITE, {text}, -1, 0x1000) = 0x7f0000000000");

    [Fact]
    public void Mremap_WithoutNewAddress_HasNone() =>
        new CallRecord(Arch, "mremap", 0x2000, 0x1000, 4096, 8192, 1, 0x5000).Text.ShouldBe("mremap(0x1000, 4096, 8192, MREMAP_MAYMOVE) = 0x2000");

    [Fact]
    public void Mincore_OfTwoPages_HasTwo() =>
        new CallRecord(Arch, "mincore", 0, 0x1000, 8192, 0x2000).Filled(2, [1, 0x82, 1, 1]).Text.ShouldBe("mincore(0x1000, 8192, [1, 0]) = 0");

    [Fact]
    public void Membarrier_Query_NamesWhatThereIs() =>
        new CallRecord(Arch, "membarrier", 3, 0, 0, 0).Text
            .ShouldBe("membarrier(MEMBARRIER_CMD_QUERY, 0) = 0x3 (MEMBARRIER_CMD_GLOBAL|MEMBARRIER_CMD_GLOBAL_EXPEDITED)");
}
