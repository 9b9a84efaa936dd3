// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf.Tests;

public class BtfTests
{
    private const uint Signed = 1;
    private const uint Boolean = 4;

    [Fact]
    public void FindStruct_TypedefBehindConst_ResolvesAndNamesTheFirst()
    {
        var b = new BtfBuilder();
        int u32 = b.Integer("unsigned int", 4);
        int inner = b.Reference(BtfKind.Typedef, "__u32", u32);
        int outer = b.Reference(BtfKind.Typedef, "veil_pid_t", inner);
        int constant = b.Reference(BtfKind.Const, "", outer);
        b.Struct("event", 8, ("first", u32, 0), ("pid", constant, 32));

        var found = b.Parse().FindStruct("event").ShouldNotBeNull();

        found.SizeBytes.ShouldBe(8);
        found.Members.Count.ShouldBe(2);
        found.Members[0].TypedefName.ShouldBeNull();
        var pid = found.FindMember("pid").ShouldNotBeNull();
        pid.OffsetBytes.ShouldBe(4);
        pid.SizeBytes.ShouldBe(4);
        pid.TypedefName.ShouldBe("veil_pid_t");
        pid.Kind.ShouldBe(BtfKind.Integer);
        pid.IsSigned.ShouldBeFalse();
        pid.IsBitField.ShouldBeFalse();
        pid.TypeId.ShouldBe(constant);
        pid.ResolvedTypeId.ShouldBe(u32);
        pid.ElementCount.ShouldBe(1);
    }

    [Fact]
    public void FindStruct_Arrays_GiveElementsOfAllDimensions()
    {
        var b = new BtfBuilder();
        int character = b.Integer("char", 1, Signed);
        int octet = b.Integer("unsigned char", 1);
        int comm = b.Array(character, 16);
        int commName = b.Reference(BtfKind.Typedef, "veil_comm_t", comm);
        int grid = b.Array(b.Array(b.Reference(BtfKind.Typedef, "__u8", octet), 3), 2);
        int flexible = b.Array(octet, 0);
        b.Struct("event", 22, ("comm", commName, 0), ("grid", grid, 128), ("tail", flexible, 176));

        var members = b.Parse().FindStruct("event")!.Members;

        members.Select(
            m => (m.Kind, m.ElementKind, m.SizeBytes, m.ElementCount, m.ElementSizeBytes, m.TypedefName, m.ElementTypedefName,
            m.IsCharacter))
            .ShouldBe(
            [
                (BtfKind.Array, BtfKind.Integer, 16, 16, 1, "veil_comm_t", null, true),
                (BtfKind.Array, BtfKind.Integer, 6, 6, 1, null, "__u8", false),
                (BtfKind.Array, BtfKind.Integer, 0, 0, 1, null, null, false),
            ]);
    }

    [Fact]
    public void FindStruct_BitFields_GiveOffsetAndWidth()
    {
        var b = new BtfBuilder();
        int u32 = b.Integer("unsigned int", 4);
        b.Composite(BtfKind.Struct, "flags", 8, bitFields: true, ("plain", u32, 0), ("a", u32, 3u << 24 | 32), ("b", u32, 5u << 24 | 35));

        var members = b.Parse().FindStruct("flags")!.Members;

        members.Select(m => (m.OffsetBits, m.BitSize, m.IsBitField)).ShouldBe([(0, 0, false), (32, 3, true), (35, 5, true)]);
    }

    [Fact]
    public void FindStruct_SpecialMembers_AreTold()
    {
        var b = new BtfBuilder();
        int boolean = b.Integer("_Bool", 1, Boolean);
        int i64 = b.Integer("long", 8, Signed);
        int color = b.Enum("color", signed: true, ("RED", -1));
        int part = b.Composite(BtfKind.Union, "part", 8, bitFields: false, ("n", i64, 0));
        int pointer = b.Reference(BtfKind.Pointer, "", part);
        b.Struct("s", 40, ("flag", boolean, 0), ("n", i64, 64), ("c", color, 128), ("u", part, 192), ("p", pointer, 256));

        var btf = b.Parse();
        var members = btf.FindStruct("s")!.Members;

        members.Select(m => (m.Name, m.Kind, m.SizeBytes, m.IsSigned, m.IsBoolean, m.EnumName, m.StructName)).ShouldBe(
        [
            ("flag", BtfKind.Integer, 1, false, true, null, null),
            ("n", BtfKind.Integer, 8, true, false, null, null),
            ("c", BtfKind.Enum, 4, true, false, "color", null),
            ("u", BtfKind.Union, 8, false, false, null, "part"),
            ("p", BtfKind.Pointer, 8, false, false, null, null),
        ]);
        btf.FindStruct("part").ShouldBeNull();
    }

    [Fact]
    public void FindEnum_SignedAndUnsigned_ExtendTheirValues()
    {
        var b = new BtfBuilder();
        b.Enum("signed", signed: true, ("MINUS", -1), ("SEVEN", 7));
        b.Enum("unsigned", signed: false, ("TOP", -1));
        b.Enum64("wide", signed: false, ("BIT40", 1L << 40));

        var btf = b.Parse();

        btf.FindEnum("signed")!.Values.ShouldBe([("MINUS", -1L), ("SEVEN", 7L)]);
        btf.FindEnum("unsigned")!.Values.ShouldBe([("TOP", 4294967295L)]);
        var wide = btf.FindEnum("wide")!;
        (wide.SizeBytes, wide.IsSigned).ShouldBe((8, false));
        wide.Values.ShouldBe([("BIT40", 1099511627776L)]);
        btf.FindEnum("none").ShouldBeNull();
    }

    [Fact]
    public void TryGetVariable_DataSections_GiveSectionOffsetAndSize()
    {
        var b = new BtfBuilder();
        int u32 = b.Integer("unsigned int", 4);
        int target = b.Variable("target", u32);
        int hidden = b.Variable("hidden", u32, linkage: 0);
        int license = b.Variable("LICENSE", u32);
        b.Section(".rodata", 12, (target, 8, 4));
        b.Section(".bss", 4, (hidden, 0, 4));
        b.Section("license", 4, (license, 0, 4));

        var btf = b.Parse();

        btf.Variables.Values.ShouldBe(
        [
            new BtfVariable("target", ".rodata", 8, 4, u32, IsStatic: false),
            new BtfVariable("hidden", ".bss", 0, 4, u32, IsStatic: true),
        ]);
        btf.TryGetVariable("LICENSE", out _).ShouldBeFalse();
    }

    [Fact]
    public void HasFunction_SuffixOfALongerName_IsNotFound()
    {
        var b = new BtfBuilder();
        b.Reference(BtfKind.Function, "vfs_read", 0);
        var btf = b.Parse();

        btf.HasFunction("vfs_read").ShouldBeTrue();
        btf.HasFunction("read").ShouldBeFalse();
        btf.HasFunction("vfs_rea").ShouldBeFalse();
        btf.HasFunction("").ShouldBeFalse();
        btf.HasTypedef("vfs_read").ShouldBeFalse();
    }

    [Fact]
    public void Resolve_TypedefCycle_Throws()
    {
        var b = new BtfBuilder();
        b.Reference(BtfKind.Typedef, "a", 2);
        b.Reference(BtfKind.Typedef, "b", 1);
        var btf = b.Parse();

        Should.Throw<BpfException>(() => btf.Resolve(1)).Message
            .ShouldBe("reading BTF: type 1 is behind more than 32 typedefs and qualifiers, or a cycle of them");
    }

    [Fact]
    public void SizeOf_ArrayOfItself_Throws()
    {
        var b = new BtfBuilder();
        b.Array(1, 1);
        var btf = b.Parse();

        Should.Throw<BpfException>(() => btf.SizeOf(1)).Message.ShouldBe("reading BTF: type 1 nests deeper than 32 levels");
    }

    [Fact]
    public void SizeOf_HugeArray_Throws()
    {
        var b = new BtfBuilder();
        int row = b.Array(b.Integer("long", 8), 0x7fffffff);
        var btf = b.Parse();

        Should.Throw<BpfException>(() => btf.SizeOf(row)).Message.ShouldBe("reading BTF: type 1 is larger than 2 GiB");
    }

    [Theory]
    [InlineData(0, 0xEB, "the magic number is 0xebeb")]
    [InlineData(2, 2, "version 2 is unknown")]
    [InlineData(4, 23, "the header claims 23 bytes")]
    [InlineData(15, 0x7f, "the types reach beyond the end")]
    [InlineData(23, 0x7f, "the strings reach beyond the end")]
    [InlineData(31, 0x1f, "type 1 is of kind 31, which is unknown")]
    [InlineData(40, 1, "the strings do not start and end with a null byte")]
    public void Parse_DamagedByte_SaysWhat(int at, byte value, string cause)
    {
        var b = new BtfBuilder();
        b.Integer("int", 4);
        byte[] raw = b.Build();
        raw[at] = value;

        Should.Throw<BpfException>(() => Btf.Parse(raw)).Message.ShouldBe("reading BTF: " + cause);
    }

    [Fact]
    public void Parse_MoreMembersThanBytes_SaysWhichTypeIsCutOff()
    {
        var b = new BtfBuilder();
        b.Integer("int", 4);
        b.Add(BtfKind.Struct, "s", 2, 4, [0, 1, 0]);

        Should.Throw<BpfException>(() => b.Parse()).Message.ShouldBe("reading BTF: type 2 is cut off");
    }

    [Fact]
    public void Parse_BigEndian_SaysSo()
    {
        byte[] raw = new BtfBuilder().Build();
        (raw[0], raw[1]) = (raw[1], raw[0]);

        Should.Throw<BpfException>(() => Btf.Parse(raw)).Message.ShouldBe("reading BTF: it is big-endian");
    }

    [Fact]
    public void FindStruct_MemberOfMissingType_Throws()
    {
        var b = new BtfBuilder();
        b.Struct("s", 4, ("m", 77, 0));
        var btf = b.Parse();

        Should.Throw<BpfException>(() => btf.FindStruct("s")).Message.ShouldBe("reading BTF: there is no type 77");
    }

    [Fact]
    public void LoadKernel_TaskStruct_HasPidTgidAndComm()
    {
        var task = Btf.LoadKernel().FindStruct("task_struct").ShouldNotBeNull();

        foreach (string name in (string[])["pid", "tgid"])
        {
            var member = task.FindMember(name).ShouldNotBeNull();
            (member.SizeBytes, member.TypedefName, member.IsSigned).ShouldBe((4, "pid_t", true));
        }

        var comm = task.FindMember("comm").ShouldNotBeNull();
        (comm.Kind, comm.SizeBytes, comm.ElementCount, comm.IsCharacter).ShouldBe((BtfKind.Array, 16, 16, true));
    }

    [Fact]
    public void LoadKernel_EveryStruct_CanBeRead()
    {
        var btf = Btf.LoadKernel();
        int structs = 0;
        foreach (var type in btf.Types)
        {
            if (type.Kind is BtfKind.Struct or BtfKind.Union)
            {
                btf.ReadStruct(type.Id).SizeBytes.ShouldBe(btf.SizeOf(type.Id));
                structs++;
            }
            else if (type.Kind is BtfKind.Enum or BtfKind.Enum64)
            {
                btf.ReadEnum(type.Id).TypeId.ShouldBe(type.Id);
            }
        }

        structs.ShouldBeGreaterThan(1000);
    }
}
