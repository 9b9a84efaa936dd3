// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf.Tests;

/// <summary>What is refused before the kernel is asked, so without root.</summary>
public class ArgumentTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(-4096)]
    [InlineData(2048)]
    [InlineData(5000)]
    [InlineData(12288)]
    [InlineData(int.MaxValue)]
    public void CreateMap_SizeNoRingCanHave_Throws(int sizeBytes) =>
        Should.Throw<ArgumentException>(() => RingBuffer.CreateMap(sizeBytes)).ParamName.ShouldBe("sizeBytes");

    [Theory]
    [InlineData("sixteen_letters_")]
    [InlineData("with space")]
    [InlineData("ünï")]
    public void Create_NameNoMapCanHave_Throws(string name) =>
        Should.Throw<ArgumentException>(() => BpfMap.Create(BpfMapType.Hash, name, 4, 4, 1)).ParamName.ShouldBe("name");

    [Fact]
    public void Open_Empty_SaysSo() =>
        Should.Throw<BpfException>(() => BpfObject.Open([], "files")).Message.ShouldBe("opening object files: it is empty");

    [Fact]
    public void Open_NotElf_QuotesLibbpf()
    {
        var error = Should.Throw<BpfException>(() => BpfObject.Open(new byte[100], "files"));

        (error.Operation, error.Subject, error.ErrnoName).ShouldBe(("opening object", "files", "LIBBPF_ERRNO__FORMAT"));
        error.Cause.ShouldContain("not a proper ELF object");
    }

    [Theory]
    [InlineData(1, 8)]
    [InlineData(8, 8)]
    [InlineData(12, 16)]
    public void Stride_ValueSize_IsRoundedUpToEight(int valueSize, int stride) => PerCpuLayout.Stride(valueSize).ShouldBe(stride);

    [Fact]
    public unsafe void PerCpuLayout_FourByteValues_KeepTheirDistance()
    {
        byte* memory = stackalloc byte[24];
        PerCpuLayout.Write<uint>([1, 2, 3], memory);
        uint[] back = new uint[3];
        PerCpuLayout.Read<uint>(memory, back);

        back.ShouldBe([1u, 2u, 3u]);
        new ReadOnlySpan<byte>(memory, 24).ToArray().ShouldBe([1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
    }
}
