// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Stacks;
using Veil.Core.Tests.Events;
using Veil.Core.Unwinding;

namespace Veil.Core.Tests.Unwinding;

/// <summary>Unwinding ends, whatever tables and memory say.</summary>
public sealed class StackUnwinderTests
{
    private const ulong StackAt = 0x7fff_0000;
    private const int ReturnRegister = 16;

    [Fact]
    public void Unwind_FramesOfEightBytes_AreTheReturnAddressesUpToTheFirstFunction()
    {
        var source = new Source { Row = Row(8) };
        int count = Unwind(Memory(0x1010, 0x1020, Source.First), ref source, out ulong[] addresses, out var end);

        addresses[..count].ShouldBe([0x1000UL, 0x1010, 0x1020, Source.First]);
        end.ShouldBe(UnwindEnd.Outermost);
    }

    [Fact]
    public void Unwind_MemoryThatEnds_SaysThatMoreWasNotCopied()
    {
        var source = new Source { Row = Row(8) };
        Unwind(Memory(0x1010, 0x1020), ref source, out ulong[] addresses, out var end).ShouldBe(3);
        end.ShouldBe(UnwindEnd.BeyondCopy);
    }

    [Fact]
    public void Unwind_ReturnAddressInNoCode_IsNoFrame()
    {
        var source = new Source { Row = Row(8) };
        Unwind(Memory(0x1010, 0xdead_0000, 0x1020), ref source, out _, out var end).ShouldBe(2);
        end.ShouldBe(UnwindEnd.Unknown);
    }

    /// <summary>Two frames that lead to each other, and one that leads to itself.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(-16)]
    public void Unwind_FrameThatDoesNotRise_Ends(long offset)
    {
        var row = new FrameRow(FrameRegisters.X64.Count) { AddressRegister = 7, AddressOffset = offset, ReturnRegister = ReturnRegister };
        row.Set(ReturnRegister, FrameRule.Expression, 0, new byte[] { 0x0a, 0x00, 0x10 }); // always 0x1000
        var source = new Source { Row = row };
        Unwind(Memory(0x1010, 0x1010, 0x1010), ref source, out _, out var end).ShouldBeLessThanOrEqualTo(2);
        end.ShouldBe(UnwindEnd.Unknown);
    }

    [Fact]
    public void Unwind_NoTable_GoesByTheFramePointerWithinTheCopy()
    {
        var source = new Source { Row = null };
        byte[] memory = Memory(StackAt + 16, 0x1010, 0, 0x1020);
        Unwind(memory, ref source, out ulong[] addresses, out _, frame: StackAt).ShouldBe(3);
        addresses[..3].ShouldBe([0x1000UL, 0x1010, 0x1020]);
        Unwind(memory, ref source, out _, out var beyond, frame: StackAt + 4096).ShouldBe(1);
        beyond.ShouldBe(UnwindEnd.BeyondCopy);
        Unwind(memory, ref source, out _, out var below, frame: StackAt - 16).ShouldBe(1);
        below.ShouldBe(UnwindEnd.Unknown);
    }

    [Fact]
    public void Unwind_AnyBytes_HasAtMostSoManyFrames()
    {
        var random = new Random(62);
        byte[] memory = new byte[64 * 1024];
        for (int round = 0; round < 200; round++)
        {
            random.NextBytes(memory);
            for (int at = 0; at < memory.Length; at += 8)
                BinaryPrimitives.WriteUInt64LittleEndian(memory.AsSpan(at), 0x1000UL + (ulong)random.Next(0x800));
            var source = new Source { Row = random.Next(2) == 0 ? null : Row(random.Next(1, 5) * 8) };
            Unwind(memory, ref source, out _, out _, frame: StackAt + (ulong)(random.Next(1000) * 8)).ShouldBeLessThanOrEqualTo(127);
        }
    }

    /// <summary>A handler was called by nobody, and what it interrupted has called nobody.</summary>
    [Fact]
    public void Unwind_FrameOfASignal_AndWhatItInterruptedAreExact()
    {
        var signal = Row(8);
        signal.IsSignal = true;
        var source = new Source { Row = Row(8), Signal = signal };
        int count = Unwind(Memory(Source.SignalAt, 0x1020, Source.First), ref source, out ulong[] addresses, out _, out var exact);

        addresses[..count].ShouldBe([0x1000UL, Source.SignalAt, 0x1020, Source.First]);
        exact.ShouldBe((UInt128)0b0111);
    }

    [Fact]
    public void Copy_ItsMembers_AreWhereTheObjectsOwnTypesSay()
    {
        using var bpfObject = SyscallObject.Open();
        var type = bpfObject.Btf.FindStruct("veil_copy")!;
        int Offset(string member) => type.Members.Single(one => one.Name == member).OffsetBytes;
        (Offset("id"), Offset("time_ns"), Offset("space"), Offset("walked"), Offset("size"), Offset("regs")).ShouldBe((
            CopiedStacks.IdOffset, CopiedStacks.TimeOffset, CopiedStacks.SpaceOffset, CopiedStacks.WalkedOffset, CopiedStacks.SizeOffset,
            CopiedStacks.RegistersOffset));
        Offset("memory").ShouldBe(CopiedStacks.RegistersOffset + (FrameRegisters.Own.KernelCount * sizeof(ulong)));
    }

    private static FrameRow Row(int frameBytes)
    {
        var row = new FrameRow(FrameRegisters.X64.Count) { AddressRegister = 7, AddressOffset = frameBytes, ReturnRegister = ReturnRegister };
        row.Set(ReturnRegister, FrameRule.AtOffset, -8);
        return row;
    }

    private static byte[] Memory(params ulong[] words)
    {
        byte[] memory = new byte[words.Length * sizeof(ulong)];
        foreach (var (number, word) in words.Index())
            BinaryPrimitives.WriteUInt64LittleEndian(memory.AsSpan(number * sizeof(ulong)), word);
        return memory;
    }

    private static int Unwind(byte[] memory, ref Source source, out ulong[] addresses, out UnwindEnd end, ulong frame = 0) =>
        Unwind(memory, ref source, out addresses, out end, out _, frame);

    private static int Unwind(byte[] memory, ref Source source, out ulong[] addresses, out UnwindEnd end, out UInt128 exact, ulong frame = 0)
    {
        var registers = new ulong[FrameRegisters.X64.Count];
        (registers[7], registers[6]) = (StackAt, frame);
        addresses = new ulong[127];
        return StackUnwinder.Unwind(FrameRegisters.X64, registers, 0x1000, new StackMemory(StackAt, memory), ref source, addresses, out exact, out end);
    }

    // Code from 0x1000 to 0x2000, and a first function.
    private struct Source : IFrameSource
    {
        public const ulong First = 0x1800;
        public const ulong SignalAt = 0x1900;

        public FrameRow? Row { get; init; }

        public FrameRow? Signal { get; init; }

        public readonly bool TryFind(ulong address, out FrameRow? row)
        {
            row = Row;
            if (address is First or First - 1)
            {
                row = new FrameRow(FrameRegisters.X64.Count) { AddressRegister = 7, ReturnRegister = ReturnRegister };
                row.Set(ReturnRegister, FrameRule.Undefined);
            }
            else if (address is SignalAt or SignalAt - 1 && Signal is not null)
            {
                row = Signal;
            }

            return address is >= 0xfff and < 0x2000;
        }
    }
}
