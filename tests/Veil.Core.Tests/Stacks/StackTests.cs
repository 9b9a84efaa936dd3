// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Veil.Core.Recordings;
using Veil.Core.Stacks;
using Veil.Core.Symbols;
using Veil.Core.Tests.Events;

namespace Veil.Core.Tests.Stacks;

/// <summary>Stacks from the kernel's records to what is shown of them.</summary>
public sealed class StackTests
{
    [Fact]
    public void Read_Record_IsAsTheObjectsOwnTypesSay()
    {
        using var bpfObject = SyscallObject.Open();
        var type = bpfObject.Btf.FindStruct("veil_stack")!;
        byte[] record = new byte[type.SizeBytes];
        int Offset(string member) => type.Members.Single(one => one.Name == member).OffsetBytes;
        var header = bpfObject.Btf.FindStruct("veil_event")!;
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(header.Members.Single(static one => one.Name == "pid").OffsetBytes), 812);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(Offset("id")), 7);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(Offset("time_ns")), 99);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(Offset("count")), 2);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(Offset("kind")), 2 | 4);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(Offset("frames")), 0x10);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(Offset("frames") + 8), 0x20);

        var stack = TakenStack.Read(record)!;

        (stack.Pid, stack.Id, stack.TimeNs, stack.Kind, stack.IsCut).ShouldBe((812, 7UL, 99L, StackKinds.Kernel, true));
        stack.Addresses.ShouldBe([0x10UL, 0x20UL]);
        TakenStack.Read(record.AsSpan(0, Offset("frames") + 8)).ShouldBeNull(); // cut off
    }

    [Fact]
    public void Table_MoreThanItHolds_ForgetsThoseThatNobodyAskedFor()
    {
        var table = new StackTable(most: 10);
        for (ulong id = 1; id <= 100; id++)
        {
            table.Add(Stack(id));
            table.Find(1).ShouldNotBeNull();
        }

        table.Count.ShouldBeLessThanOrEqualTo(20);
        table.Find(2).ShouldBeNull();
        table.Find(100)!.Id.ShouldBe(100UL);
        table.Find(0).ShouldBeNull();
    }

    [Fact]
    public void Forms_OfNamedFrames_AreEachAsItsReaderNeedsIt()
    {
        var stack = TakenStack.Named(1, 2, StackKinds.User, false,
        [
            new(0x401020, "leaf(int)", 0x10, "/bin/a", "ab12", null), new(0x7f0000001000, null, 0x1000, "/lib/b.so", null, null), new(0x5, null, 0, null, null, null),
        ]);

        Encoding.UTF8.GetString(stack.Text(null)).ShouldBe("\n    leaf(int)+0x10 (/bin/a)\n    0x7f0000001000 (/lib/b.so+0x1000)\n    0x5");
        Encoding.UTF8.GetString(stack.Folded(null)).ShouldBe("leaf(int);/lib/b.so+0x1000;0x5");
        Encoding.UTF8.GetString(stack.Json(null)).ShouldBe(
            "[{\"symbol\":\"leaf(int)\",\"offset\":16,\"file\":\"/bin/a\",\"build_id\":\"ab12\",\"address\":\"0x401020\"}," +
            "{\"symbol\":null,\"offset\":4096,\"file\":\"/lib/b.so\",\"build_id\":null,\"address\":\"0x7f0000001000\"}," +
            "{\"symbol\":null,\"offset\":0,\"file\":null,\"build_id\":null,\"address\":\"0x5\"}]");
    }

    /// <summary>Code without frame pointers: bytes of a string, and the end of the stack, are no callers.</summary>
    [Theory]
    [InlineData(0x652f00656d616e74)]
    [InlineData(0)]
    public void Frames_BehindWhatIsNoAddress_AreNone(long address)
    {
        var stack = new TakenStack(1, 2, 0, StackKinds.User, false, [0x7f0000001051, (ulong)address, 0x401020]);

        Encoding.UTF8.GetString(stack.Folded(null)).ShouldBe("0x7f0000001051");
        Encoding.UTF8.GetString(new TakenStack(1, 2, 0, StackKinds.Kernel, false, [0xffffffff81000000, 0xffffffff81000010]).Folded(null))
            .Count(static letter => letter == ';').ShouldBe(1);
    }

    [Fact]
    public void Ends_InWhatIsNotMapped_AreEarly()
    {
        StackFrame open = new(0x7f0000001051, "__open", 0x51, "/lib/libc.so.6", null, null), unknown = new(0x7f81403018a8, null, 0, null, null, null);

        StackEnds.IsEarly([open, unknown]).ShouldBeTrue();
        StackEnds.IsEarly([unknown, unknown]).ShouldBeFalse(); // nothing is known of this process
    }

    /// <summary>Whoever draws a flame graph sees that its root is not the program's.</summary>
    [Fact]
    public void Forms_OfAStackThatIsCutOff_SaySo()
    {
        var stack = TakenStack.Named(1, 2, StackKinds.User, true, [new(0x10, "leaf", 0, "/a", null, null)]);

        Encoding.UTF8.GetString(stack.Text(null)).ShouldContain("(cut off: ");
        Encoding.UTF8.GetString(stack.Folded(null)).ShouldBe("leaf;[cut]");
        Encoding.UTF8.GetString(stack.Json(null)).ShouldBe(
            "[{\"symbol\":\"leaf\",\"offset\":0,\"file\":\"/a\",\"build_id\":null,\"address\":\"0x10\"}," +
            "{\"symbol\":\"[cut]\",\"offset\":0,\"file\":null,\"build_id\":null,\"address\":null}]");
    }

    [Fact]
    public void Forms_OfHostileNames_AreEscapedAndBounded()
    {
        var frames = Enumerable.Range(0, 127)
            .Select(static i => new StackFrame((ulong)i, "\u001b[31m;a\n" + new string('\u0001', 100_000), 0, "\r\n/" + new string('\u001b', 100_000), null, null)).ToArray();
        var stack = TakenStack.Named(1, 2, StackKinds.User, true, frames);

        foreach (var text in new[] { stack.Text(null).ToArray(), stack.Folded(null).ToArray(), stack.Json(null).ToArray() })
        {
            text.Length.ShouldBeLessThan(TakenStack.TextBytesMax);
            text.ShouldAllBe(static one => one >= 0x20 || one == (byte)'\n');
        }

        Encoding.UTF8.GetString(stack.Text(null)).Split('\n').Length.ShouldBe(127 + 2); // nothing before the first, and the last says that it is cut
        Encoding.UTF8.GetString(stack.Folded(null)).Split(';').Length.ShouldBe(127 + 1);
        JsonDocument.Parse(stack.Json(null).ToArray()).RootElement.GetArrayLength().ShouldBe(127 + 1);
    }

    [Fact]
    public void Frames_OfTheKernel_BeginBehindTheProgram()
    {
        string?[] names = ["bpf_get_task_stack", "bpf_prog_0123456789abcdef_x", null, "bpf_trace_run2", "__bpf_trace_sys_enter", "do_syscall_64", "bpf_trace_run1"];
        var frames = names.Select(static name => new StackFrame(1, name, 0, null, null, null)).ToList();

        KernelStackFrames.MachineryOf(frames).ShouldBe(5);
        // A function of the kernel that is only named like a program.
        KernelStackFrames.MachineryOf([new(1, "bpf_prog_load", 0, null, null, null)]).ShouldBe(0);
        KernelStackFrames.MachineryOf([new(1, null, 0, null, null, null)]).ShouldBe(0);
    }

    [Fact]
    public void Note_OfAStack_ReadsAsItWas()
    {
        StackFrame[] frames = [new(0x401020, "leaf(int)", 0x10, "/bin/a", "ab12", "a.c:3"), new(5, null, 0, null, null, null)];

        var read = StackNote.Read(StackNote.Of(TakenStack.Named(9, 812, StackKinds.User, true, frames)));

        (read.Id, read.Pid, read.Kind, read.IsCut).ShouldBe((9UL, 812, StackKinds.User, true));
        read.Frames(null).ShouldBe(frames);
    }

    [Fact]
    public void Note_CutAnywhere_IsRefused()
    {
        byte[] note = StackNote.Of(TakenStack.Named(9, 812, StackKinds.User, false, [new(0x401020, "leaf", 0x10, "/bin/a", null, null)]));
        for (int length = StackNote.HeadBytes; length < note.Length; length++)
            Should.Throw<RecordingException>(() => StackNote.Read(note.AsSpan(0, length)));
        BinaryPrimitives.WriteUInt32LittleEndian(note.AsSpan(16), uint.MaxValue);
        Should.Throw<RecordingException>(() => StackNote.Read(note));
    }

    private static TakenStack Stack(ulong id) => TakenStack.Named(id, 1, StackKinds.User, false, []);
}
