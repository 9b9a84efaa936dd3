// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Veil.Core.Symbols;

namespace Veil.Core.Tests.Symbols;

/// <summary>Finding a function in a file that may be anything.</summary>
public sealed class ElfFileTests
{
    private const int MutationRounds = 20_000;

    // Offsets in the header of a 64-bit file.
    private const int SegmentsAt = 32;
    private const int SectionsAt = 40;
    private const int SegmentBytes = 54;
    private const int SectionCount = 60;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Find_GlobalFunction_IsItsOffsetInTheFile(bool is64)
    {
        var elf = new ElfBuilder { Is64 = is64 }.Symbol("other", 0x110).Symbol("wanted", 0x120).Symbol("wanted_too", 0x130);

        Find(elf, "wanted").ShouldBe([0x120ul]);
    }

    [Fact]
    public void Find_InBothTables_IsFoundOnce() => Find(new ElfBuilder().Symbol("f", 0x120).Dynamic("f", 0x120), "f").ShouldBe([0x120ul]);

    [Fact]
    public void Find_StrippedLibrary_UsesWhatItExports() =>
        Find(new ElfBuilder { FileType = 3 }.Dynamic("f", 0x140), "f").ShouldBe([0x140ul]);

    [Fact]
    public void Find_EndOfAnotherName_IsNotIt() =>
        Error(new ElfBuilder().Symbol("unread", 0x120), "read").ShouldBe("has no function read; did you mean unread?");

    [Fact]
    public void Find_VersionedName_IsFoundByItsBaseName() =>
        Find(new ElfBuilder().Symbol("open@OLD_1", 0x110).Symbol("open@@NEW_2", 0x120).Symbol("opened", 0x130), "open")
            .ShouldBe([0x110ul, 0x120ul]);

    [Fact]
    public void Find_VersionedName_CanBeAskedForExactly() =>
        Find(new ElfBuilder().Symbol("open@OLD_1", 0x110).Symbol("open@@NEW_2", 0x120), "open@OLD_1").ShouldBe([0x110ul]);

    [Fact]
    public void Find_LocalFunctionsOfOneName_AreAllOfThem() =>
        Find(new ElfBuilder().Symbol("f", 0x110, binding: ElfBuilder.Local).Symbol("f", 0x120, binding: ElfBuilder.Local), "f")
            .ShouldBe([0x110ul, 0x120ul]);

    [Fact]
    public void Find_GlobalAmongLocals_IsTheOne() =>
        Find(new ElfBuilder().Symbol("f", 0x110, binding: ElfBuilder.Local).Symbol("f", 0x120), "f").ShouldBe([0x120ul]);

    [Fact]
    public void Find_LocalInOneTableExportedInTheOther_IsTheFirst() =>
        Find(new ElfBuilder().Symbol("f", section: 0).Dynamic("f", 0x130), "f").ShouldBe([0x130ul]);

    [Fact]
    public void Find_Imported_SaysSo() =>
        Error(new ElfBuilder().Dynamic("malloc", section: 0), "malloc").ShouldBe("only imports malloc: name the library that defines it");

    [Fact]
    public void Find_IndirectFunction_SaysWhyNot() =>
        Error(new ElfBuilder().Symbol("memcpy", type: ElfBuilder.IndirectFunction), "memcpy")
            .ShouldStartWith("has several implementations of memcpy");

    [Fact]
    public void Find_Variable_SaysSo() => Error(new ElfBuilder().Symbol("stdout", type: ElfBuilder.Variable), "stdout")
        .ShouldBe("has no function stdout: that is a variable");

    [Fact]
    public void Find_NoSuchName_SuggestsTheNearest() =>
        Error(new ElfBuilder().Symbol("readline").Symbol("rl_newline"), "raedline")
            .ShouldBe("has no function raedline; did you mean readline?");

    [Fact]
    public void Find_NoSuchNameInStrippedLibrary_SaysThatItIsStripped() => Error(new ElfBuilder().Dynamic("open"), "close")
        .ShouldBe("has no function close among those that it exports (it is stripped: the others have no names any more)");

    [Fact]
    public void Find_NoTables_SaysStripped() => Error(new ElfBuilder(), "main").ShouldStartWith("has no symbol tables: it is stripped");

    [Theory]
    [InlineData("Cache::get(int)", "has no function Cache::get(int); did you mean app::Cache::get(int)?")]
    [InlineData("app::work", "has no function app::work; did you mean app::work<long>(long)?")]
    [InlineData("other::get", "has no function other::get; did you mean app::Cache::get(int)?")]
    [InlineData("other::et", "has no function other::et")]
    public void Find_FunctionOfAnotherClass_IsSuggested(string name, string message) =>
        Error(new ElfBuilder().Symbol("_ZN3app5Cache3getEi").Symbol("_ZN3app4workIlEEvT_"), name).ShouldBe(message);

    [Fact]
    public void Find_HostileName_IsEscaped() =>
        Error(new ElfBuilder().Symbol("read\u001b[31m"), "read").ShouldBe("has no function read; did you mean read\\x1b[31m?");

    [Fact]
    public void Find_AddressOutsideTheCode_IsDamaged() =>
        Error(new ElfBuilder().Symbol("f", 0x100000), "f").ShouldBe("is damaged: 0x500000 is in no code of it");

    [Fact]
    public void Find_TooManyOfOneName_IsRefused()
    {
        var elf = new ElfBuilder();
        for (ulong i = 0; i <= ElfFile.OffsetsMax; i++)
            elf.Symbol("f", ElfBuilder.CodeOffset + i, binding: ElfBuilder.Local);

        Error(elf, "f").ShouldBe("has more than 64 functions of the name f");
    }

    [Theory]
    [InlineData("f", new[] { 0x110ul, 0x120ul })]
    [InlineData("f@OLD", new[] { 0x110ul })]
    [InlineData("f@NEW", new[] { 0x120ul })]
    [InlineData("f@@NEW", new[] { 0x120ul })]
    public void Find_VersionInTheDynamicTable_IsThatFunction(string name, ulong[] offsets) => Find(Versioned(), name).ShouldBe(offsets);

    [Theory]
    [InlineData("f@@OLD")]
    [InlineData("f@NONE")]
    public void Find_NoSuchVersion_SaysWhichThereAre(string name) =>
        Error(Versioned(), name).ShouldBe($"has no {name}, but f@OLD or f@@NEW");

    [Fact]
    public void Find_FunctionThatIsChosenAtRunTime_AsksWhichAndKeepsItsOldVersion()
    {
        var elf = Open(new ElfBuilder().Symbol("memcpy@OLD", 0x110).Symbol("memcpy@@NEW", 0x120, ElfBuilder.IndirectFunction).Build());

        elf.FindFunction("memcpy", static name => name == "memcpy" ? 0x150 : null).ShouldBe([0x110ul, 0x150ul]);
        elf.FindFunction("memcpy@OLD", static _ => null).ShouldBe([0x110ul]);
        Should.Throw<ElfException>(() => elf.FindFunction("memcpy", static _ => null)).Message.ShouldStartWith(
            "has several implementations of memcpy");
    }

    [Fact]
    public void Find_DemangledName_IsItsFunction()
    {
        var elf = new ElfBuilder().Symbol("_ZN3Foo3barEi", 0x110).Symbol("_ZN3Foo3barEd", 0x120).Symbol("_ZN3Foo3bazEv", 0x130)
            .Symbol("_ZN4main3run17h0123456789abcdefE", 0x140);

        Find(elf, "Foo::bar(int)").ShouldBe([0x110ul]);
        Find(elf, "Foo::baz").ShouldBe([0x130ul]);
        Find(elf, "main::run").ShouldBe([0x140ul]);
        Error(elf, "Foo::bar").ShouldBe("has 2 functions Foo::bar: give Foo::bar(double) or Foo::bar(int)");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Usdt_Probe_IsItsPlaceAndItsSemaphore(bool is64)
    {
        var elf =
            Open(new ElfBuilder { Is64 = is64 }.Usdt("app", "begin", 0x110, 0x1f0).Usdt("app", "begin", 0x120, 0x1f0)
            .Usdt("app", "end", 0x130).Build());

        elf.FindUsdt("app", "begin").ShouldBe([(0x110ul, 0x1f0ul), (0x120ul, 0x1f0ul)]);
        elf.FindUsdt("app", "end").ShouldBe([(0x130ul, 0ul)]);
        Should.Throw<ElfException>(() => elf.FindUsdt("app", "bgin")).Message.ShouldBe(
            "has no USDT probe app:bgin; did you mean app:begin?");
        Should.Throw<ElfException>(() => Open(new ElfBuilder().Build()).FindUsdt("a", "b")).Message.ShouldBe("has no USDT probes");
    }

    [Fact]
    public void Companion_OfAStrippedFile_GivesItsNames()
    {
        var elf =
            Open(new ElfBuilder().Dynamic("exported", 0x110).Note(".note.gnu.build-id", "GNU", 3, [0xab, 0xcd])
            .More(".gnu_debuglink", 1, "x.debug\0\x01\x02\x03\x04"u8.ToArray()).Build());

        elf.BuildId.ShouldBe("abcd");
        elf.DebugLink.ShouldBe(("x.debug", 0x04030201u));
        elf.HasSymbols.ShouldBeFalse();
        elf.Companion =
            new ElfFile(new MemoryStream(new ElfBuilder().Symbol("internal", 0x140).Build()), Architecture.X64, isCompanion: true);
        elf.FindFunction("internal").ShouldBe([0x140ul]);
        elf.FindFunction("exported").ShouldBe([0x110ul]);
    }

    [Theory]
    [InlineData(false, "; x.debug, which it names for them, is not there")]
    [InlineData(true, "x.debug, which it names for them, is of another build")]
    public void Companion_ThatDoesNotFit_IsSaid(bool isThere, string why)
    {
        string folder = Directory.CreateTempSubdirectory("veil-elf-").FullName;
        File.WriteAllBytes(folder + "/x", new ElfBuilder().More(".gnu_debuglink", 1, "x.debug\0\x01\x02\x03\x04"u8.ToArray()).Build());
        if (isThere)
            File.WriteAllBytes(folder + "/x.debug", new ElfBuilder().Symbol("internal", 0x140).Build());

        using var stream = ProgramStream.Open(folder + "/x");
        var file = new ElfFile(stream, RuntimeInformation.OSArchitecture);
        SymbolFile.AddTo(file, folder + "/x", root: null);
        Should.Throw<ElfException>(() => file.FindFunction("internal")).Message.ShouldEndWith(why);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void CanUnwind_FileThatThrows_IsKnown()
    {
        Open(new ElfBuilder().Dynamic("__cxa_throw", section: 0).Build()).CanUnwind.ShouldBeTrue();
        Open(new ElfBuilder().Dynamic("_Unwind_Resume", section: 0).Build()).CanUnwind.ShouldBeTrue();
        Open(new ElfBuilder().More(".gcc_except_table", 1, [1, 2, 3, 4]).Build()).CanUnwind.ShouldBeTrue();
        Open(new ElfBuilder().Symbol("main").Build()).CanUnwind.ShouldBeFalse();
        // A static program of C, and the C library: for pthread_cancel.
        Open(new ElfBuilder().Symbol("main").Symbol("_Unwind_Resume", 0x110).More(".gcc_except_table", 1, [1, 2, 3, 4])
            .Build()).CanUnwind.ShouldBeFalse();
        Open(new ElfBuilder().Dynamic("__libc_start_main").More(".gcc_except_table", 1, [1, 2, 3, 4]).Build()).CanUnwind.ShouldBeFalse();
    }

    [Theory]
    [InlineData("", "is empty, or not a regular file")]
    [InlineData("\u007f", "is not an ELF file")]
    [InlineData("\u007fELF", "is truncated: its ELF header would end beyond the file's 4 bytes")]
    [InlineData("#!/bin/sh\n", "is not an ELF file but a script: name its interpreter")]
    [InlineData("hello", "is not an ELF file")]
    public void Open_SomethingElse_SaysWhat(string content, string message) =>
        Should.Throw<ElfException>(() => Open(System.Text.Encoding.ASCII.GetBytes(content))).Message.ShouldBe(message);

    [Fact]
    public void Open_OtherMachine_SaysWhich() =>
        Should.Throw<ElfException>(() => Open(new ElfBuilder { Machine = ElfBuilder.Arm64 }.Build())).Message.ShouldBe(
            "is not for this machine: it is for arm64, this is x86-64");

    [Fact]
    public void Open_ObjectFile_SaysLinkIt() =>
        Should.Throw<ElfException>(() => Open(new ElfBuilder { FileType = 1 }.Build())).Message.ShouldBe(
            "is an object file: link it first");

    [Fact]
    public void Open_BigEndian_SaysSo()
    {
        byte[] file = new ElfBuilder().Build();
        file[5] = 2;

        Should.Throw<ElfException>(() => Open(file)).Message.ShouldBe("is not for this machine: it is big-endian");
    }

    [Fact]
    public void Open_Go_IsKnown()
    {
        Open(new ElfBuilder { Go = true }.Symbol("main.main").Build()).IsGo.ShouldBeTrue();
        Open(new ElfBuilder().Symbol("main").Build()).IsGo.ShouldBeFalse();
    }

    [Fact]
    public void Open_CutAnywhere_IsAnErrorOrAnAnswer()
    {
        byte[] whole = Sample();
        for (int length = 0; length < whole.Length; length++)
            ReadsOrRefuses(new MemoryStream(whole[..length])).ShouldBeFalse();
        ReadsOrRefuses(new MemoryStream(whole)).ShouldBeTrue();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Open_Mutated_IsAnErrorOrAnAnswer(bool is64)
    {
        byte[] seed = Sample(is64);
        // The same sequence in every run: what fails once fails again.
        var random = new Random(20240601);
        for (int round = 0; round < MutationRounds; round++)
        {
            byte[] bytes = (byte[])seed.Clone();
            for (int i = random.Next(1, 6); i > 0; i--)
            {
                // Code and padding matter to nobody: most of the mutations go where the tables are.
                int at = random.Next(4) == 0 ? random.Next(0x78) : random.Next(0x200, bytes.Length);
                bytes[at] = random.Next(3) switch { 0 => 0xff, 1 => 0, _ => (byte)random.Next(256) };
            }

            ReadsOrRefuses(new MemoryStream(bytes));
        }
    }

    [Fact]
    public void Open_HugeSparseFile_IsRefusedWithoutReadingIt()
    {
        const long terabyte = 1L << 40;
        byte[] front = Sample();
        // The second section is the first table of symbols: it shall cover the whole file.
        int sections = (int)BinaryPrimitives.ReadUInt64LittleEndian(front.AsSpan(SectionsAt));
        BinaryPrimitives.WriteInt64LittleEndian(front.AsSpan(sections + (2 * 64) + 32), terabyte / 2);
        using var file = new SparseStream(front, terabyte);

        Should.Throw<ElfException>(() => new ElfFile(file, Architecture.X64)).Message.ShouldBe(
            $"is too large: its symbol table has {terabyte / 2} bytes");
        file.BytesRead.ShouldBeLessThan(1 << 20);
    }

    [Fact]
    public void Open_AsManyHeadersAsThereCanBe_TakesBoundedTime()
    {
        byte[] front = new ElfBuilder().Symbol("f").Build();
        BinaryPrimitives.WriteUInt64LittleEndian(front.AsSpan(SegmentsAt), 0x1000);
        BinaryPrimitives.WriteUInt64LittleEndian(front.AsSpan(SectionsAt), 0x1000);
        BinaryPrimitives.WriteUInt16LittleEndian(front.AsSpan(SegmentBytes), 0xffff);
        BinaryPrimitives.WriteUInt16LittleEndian(front.AsSpan(SegmentBytes + 2), 0xfffe);
        BinaryPrimitives.WriteUInt16LittleEndian(front.AsSpan(SegmentBytes + 4), 0xffff);
        BinaryPrimitives.WriteUInt16LittleEndian(front.AsSpan(SectionCount), 0xffff);
        using var file = new SparseStream(front, 1L << 40);
        long start = Stopwatch.GetTimestamp();

        Should.Throw<ElfException>(() => new ElfFile(file, Architecture.X64).FindFunction("f")).Message.ShouldStartWith(
            "has no symbol tables");

        Stopwatch.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(5));
        file.BytesRead.ShouldBeLessThan(32 << 20);
    }

    private static byte[] Sample(bool is64 = true) => new ElfBuilder { Is64 = is64, Go = true }
        .Symbol("wanted", 0x120).Symbol("wanted@@V2", 0x130).Symbol("static", 0x140, binding: ElfBuilder.Local)
            .Symbol("variable", type: ElfBuilder.Variable)
        .Symbol("_ZN3Foo3barEi", 0x160)
        .Dynamic("wanted", 0x120).Dynamic("exported", 0x150).Dynamic("imported", section: 0)
        .Versions([2, 0x8003, 0], "NEW", "OLD").Usdt("app", "begin", 0x110, 0x1f0).Note(".note.gnu.build-id", "GNU", 3, [0xab, 0xcd, 0xef])
        .More(".gnu_debuglink", 1, "x.debug\0\x01\x02\x03\x04"u8.ToArray()).Build();

    private static ElfBuilder Versioned() =>
        new ElfBuilder { FileType = 3 }.Dynamic("f", 0x110).Dynamic("f", 0x120).Versions([0x8002, 3], "OLD", "NEW");

    private static bool ReadsOrRefuses(Stream file)
    {
        try
        {
            var elf = new ElfFile(file, Architecture.X64);
            bool found = true;
            foreach (string name in new[] { "wanted", "exported@NEW", "exported@OLD", "static", "imported", "nowhere", "Foo::bar(int)" })
                found &= Finds(() => elf.FindFunction(name)) || name is "imported" or "nowhere" or "exported@NEW";
            found &= Finds(() => elf.FindUsdt("app", "begin"));
            found &= elf.BuildId.Length > 0 && elf.DebugLink is not null;
            _ = elf.Crc();
            _ = elf.CanUnwind;
            return found;
        }
        catch (ElfException)
        {
            return false;
        }
    }

    private static bool Finds<T>(Func<IReadOnlyList<T>> find)
    {
        try
        {
            return find().Count > 0;
        }
        catch (ElfException)
        {
            return false;
        }
    }

    private static ElfFile Open(byte[] file) => new(new MemoryStream(file), Architecture.X64);

    private static IReadOnlyList<ulong> Find(ElfBuilder elf, string name) => Open(elf.Build()).FindFunction(name);

    private static string Error(ElfBuilder elf, string name) => Should.Throw<ElfException>(() => Find(elf, name)).Message;
}
