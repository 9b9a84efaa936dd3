// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Budgets;
using Veil.Core.Interop;
using Veil.Core.Recordings;
using Veil.Core.Tests.Events;
using Veil.Core.Tests.Sinks;
using Veil.Core.Tests.Sources;

namespace Veil.Core.Tests.Recordings;

/// <summary>What is recorded is what comes back, whatever happened to the file since.</summary>
public sealed class RecordingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-recording").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Replay_OfATraceWithABudget_TellsItsStepsWhereTheyWere()
    {
        var source = new BytesSource().Calls("a")
            .Notice(new BudgetStep(SampleRate.All, new SampleRate(8), 0.4125, 0.02, 1_000)).Calls("b")
            .Notice(new SampledEvents("syscall", new SampleRate(8), 12_000, 1_500, TimeSpan.FromSeconds(10), 2_000))
            .Notice(new BudgetStep(SampleRate.None, SampleRate.None, 0.031, 0.02, 3_000)).Calls("c");

        string path = Path.Combine(_folder, "budget.veil"), told = RecordedTrace.Record(path, source, out _);

        told.ShouldContain("\"evt_type\":\"sampled\",\"one_in\":8,\"seen\":12000,\"sent\":1500,\"seconds\":10,");
        told.ShouldContain("\"evt_type\":\"budget\",\"step\":\"sample\",\"one_in\":8,\"from_one_in\":1,\"cost_percent\":41.25,\"budget_percent\":2,");
        RecordedTrace.Replay(path, out var said).ShouldBe(told);
        said.ShouldBeEmpty();
    }

    [Fact]
    public void Replay_ManyEvents_IsWhatTheTraceShowed()
    {
        string shown = RecordedTrace.Record(File("a"), Source(50_000), out var said);
        said.ShouldBeEmpty();
        shown.Split('\n').Length.ShouldBe(50_003);

        RecordedTrace.Replay(File("a"), out said).ShouldBe(shown);
        said.ShouldBeEmpty();
        LibC.TryGetPathFacts(LibC.OpenPath(LibC.AtFdCwd, File("a"), follow: false), out var facts).ShouldBeTrue();
        (facts.Mode & 0xfff).ShouldBe(0x180u);
        new FileInfo(File("a")).Length.ShouldBeLessThan(50_000 * 10);
    }

    [Fact]
    public void Replay_NoEvents_IsEmpty()
    {
        RecordedTrace.Record(File("a"), new BytesSource(), out _).ShouldBeEmpty();
        RecordedTrace.Replay(File("a"), out var said).ShouldBeEmpty();
        said.ShouldBeEmpty();
    }

    /// <summary>Cut anywhere, a recording shows a beginning of what it held, and says that more is missing.</summary>
    [Fact]
    public void Replay_CutAnywhere_ShowsABeginning()
    {
        string shown = RecordedTrace.Record(File("a"), Source(45_000), out _);
        byte[] whole = System.IO.File.ReadAllBytes(File("a"));
        for (int length = 0; length < whole.Length; length += Math.Max(1, whole.Length / 150))
        {
            System.IO.File.WriteAllBytes(File("b"), whole[..length]);
            shown.ShouldStartWith(RecordedTrace.Replay(File("b"), out var said), customMessage: $"{length} bytes");
            said.ShouldNotBeEmpty($"{length} bytes");
        }
    }

    /// <summary>Of 10,000 recordings that were changed somewhere none shows an event that was not, or ends otherwise than with a
    /// sentence.</summary>
    [Fact]
    public void Replay_TenThousandMutants_ShowNothingThatWasNot()
    {
        const int seed = 20261127, mutants = 10_000;
        string shown = RecordedTrace.Record(File("a"), Source(300), out _);
        byte[] whole = System.IO.File.ReadAllBytes(File("a"));
        var random = new Random(seed);
        for (int number = 0; number < mutants; number++)
        {
            byte[] mutant = Mutate(whole, random);
            System.IO.File.WriteAllBytes(File("b"), mutant);
            string some = RecordedTrace.Replay(File("b"), out var said);
            shown.ShouldStartWith(some, customMessage: $"mutant {number}");
            if (!mutant.AsSpan().SequenceEqual(whole))
                said.ShouldNotBeEmpty($"mutant {number}");
        }

    }

    /// <summary>Behind a checksum that is right there may still be anything.</summary>
    [Fact]
    public void Replay_MutantsWithRightChecksums_EndWithASentence()
    {
        const int seed = 1127, mutants = 3_000;
        RecordedTrace.Record(File("a"), Source(300), out _);
        byte[] whole = System.IO.File.ReadAllBytes(File("a"));
        var random = new Random(seed);
        for (int number = 0; number < mutants; number++)
        {
            System.IO.File.WriteAllBytes(File("b"), MutateInside(whole, random));
            _ = RecordedTrace.Replay(File("b"), out _);
        }
    }

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("VEILREC", "it is no recording of veil")]
    [InlineData("#!/bin/sh\necho 1234567890123456789012345678901234567890\n", "it is no recording of veil")]
    public void Replay_NoRecording_SaysSo(string text, string why)
    {
        System.IO.File.WriteAllText(File("a"), text);
        RecordedTrace.Replay(File("a"), out var said);
        said.ShouldBe([$"reading {File("a")}: {why}"]);
    }

    [Fact]
    public void Replay_OtherVersionOrByteOrder_SaysWhich()
    {
        RecordedTrace.Record(File("a"), Source(1), out _);
        byte[] whole = System.IO.File.ReadAllBytes(File("a"));
        BinaryPrimitives.WriteUInt32LittleEndian(whole.AsSpan(12), 2);
        System.IO.File.WriteAllBytes(File("b"), whole);
        RecordedTrace.Replay(File("b"), out var said);
        said.ShouldHaveSingleItem().ShouldEndWith("it is of version 2, and this veil reads up to 1: take a newer one");

        whole.AsSpan(8, 4).Reverse();
        System.IO.File.WriteAllBytes(File("b"), whole);
        RecordedTrace.Replay(File("b"), out said);
        said.ShouldHaveSingleItem().ShouldEndWith("it was recorded on a machine of the other byte order, which this veil cannot read");
    }

    /// <summary>A disk that was full as a file of several was begun left it without its beginning: the others are shown.</summary>
    [Theory]
    [InlineData(0, "it is empty")]
    [InlineData(5, "it is no recording of veil")]
    [InlineData(FileHeader.SizeBytes, "it ends before what describes it, and nothing in it can be read")]
    [InlineData(100, "it ends before what describes it, and nothing in it can be read")]
    public void Replay_FileWithoutBeginning_ShowsTheOthers(int length, string why)
    {
        string shown = RecordedTrace.Record(File("a"), Source(10), out _);
        System.IO.File.WriteAllBytes(File("a.1"), System.IO.File.ReadAllBytes(File("a"))[..length]);

        RecordedTrace.Replay(File("a"), out var said).ShouldBe(shown);
        said.ShouldBe([$"reading {File("a.1")}: {why}"]);
        RecordedTrace.Replay(File("a.1"), out said).ShouldBeEmpty();
        said.ShouldBe([$"reading {File("a.1")}: {why}"]);
    }

    /// <summary>The promise of docs/recording-format.md: what version 1 wrote is read by all that come later.</summary>
    [Fact]
    public void Replay_GoldenFile_IsReadForEver()
    {
        string golden = Path.Combine(SyscallObject.Root, "tests/Veil.Core.Tests/Golden/version-1.veil");
        string lines = RecordedTrace.Replay(golden, out var said);
        said.ShouldBeEmpty();
        Golden.Check("version-1.json", lines);
    }

    [Fact]
    public void Record_FileThatIsThere_IsRefused()
    {
        System.IO.File.WriteAllText(File("a"), "mine");
        Should.Throw<UsageException>(() => Recorder.Open(new(File("a"), false, null, null))).Message
            .ShouldBe($"--record: {File("a")} is there already; --force replaces it");
        System.IO.File.CreateSymbolicLink(File("link"), File("nowhere"));
        Should.Throw<UsageException>(() => Recorder.Open(new(File("link"), false, null, null)));
        Should.Throw<UsageException>(() => Recorder.Open(new("/dev/null", true, null, null))).Message.ShouldContain("is no file");
        System.IO.File.ReadAllText(File("a")).ShouldBe("mine");
    }

    /// <summary>A trace that does not start leaves the old file and no new one.</summary>
    [Fact]
    public void Record_ThatDoesNotBegin_LeavesNothing()
    {
        System.IO.File.WriteAllText(File("a"), "mine");
        Recorder.Open(new(File("a"), true, null, null)).Dispose();
        Recorder.Open(new(File("b"), false, null, null)).Dispose();
        Directory.GetFiles(_folder).ShouldBe([File("a")]);
        System.IO.File.ReadAllText(File("a")).ShouldBe("mine");
    }

    private string File(string name) => Path.Combine(_folder, name);

    // Some threads, some calls, a loss, and time that goes on by steps that differ.
    private static BytesSource Source(int events)
    {
        var source = new BytesSource();
        ulong time = 1_000_000_000;
        for (int i = 0; i < events; i++)
        {
            byte[] record = SinkTests.Call(i % 97 < 90 ? "nginx" : $"worker-{i % 5}", (uint)(800 + (i % 3)), i % 300, 0);
            time += (ulong)(i * 7919 % 3000);
            BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(32), time);
            source.Record(record);
            if (i == events / 2)
                source.Loss("ring_full", 5).Loss("map_full", 1);
        }

        return source;
    }

    private static byte[] Mutate(byte[] whole, Random random)
    {
        byte[] mutant = [.. whole];
        switch (random.Next(5))
        {
            case 0:
                return mutant[..random.Next(mutant.Length)];
            case 1:
                random.NextBytes(mutant.AsSpan(random.Next(mutant.Length), 1));
                return mutant;
            case 2:
                int at = random.Next(mutant.Length);
                random.NextBytes(mutant.AsSpan(at, random.Next(mutant.Length - at)));
                return mutant;
            case 3:
                int from = random.Next(mutant.Length), to = random.Next(mutant.Length);
                return [.. mutant[..from], .. mutant[to..]];
            default:
                mutant[random.Next(mutant.Length)] ^= (byte)(1 << random.Next(8));
                return mutant;
        }
    }

    // Changes what a block holds, and writes the checksum anew.
    private static byte[] MutateInside(byte[] whole, Random random)
    {
        ulong file = BinaryPrimitives.ReadUInt64LittleEndian(whole.AsSpan(16));
        var result = new List<byte>(whole[..FileHeader.SizeBytes]);
        int chosen = random.Next(4);
        for (int at = FileHeader.SizeBytes, block = 0; at < whole.Length; block++)
        {
            BlockHeader.TryRead(whole.AsSpan(at), out var header).ShouldBeTrue();
            byte[] raw = new byte[header.RawBytes];
            Zstd.TryDecompress(whole.AsSpan(at + BlockHeader.SizeBytes, header.StoredBytes), raw).ShouldBeTrue();
            for (int change = 0; block == chosen && change <= random.Next(4); change++)
                raw[random.Next(2) == 0 ? random.Next(raw.Length) : random.Next(Math.Min(raw.Length, 64))] = (byte)random.Next(256);
            byte[] stored = new byte[BlockHeader.SizeBytes + Zstd.BoundOf(raw.Length)];
            int length = Zstd.Compress(raw, stored.AsSpan(BlockHeader.SizeBytes));
            (header with { StoredBytes = length }).Write(stored, file);
            result.AddRange(stored.AsSpan(0, BlockHeader.SizeBytes + length));
            at += BlockHeader.SizeBytes + header.StoredBytes;
        }

        return [.. result];
    }
}
