// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Veil.Core.Events;
using Veil.Core.Output;
using Veil.Core.Sinks;
using Veil.Core.Tests.Events;

namespace Veil.Core.Tests.Sinks;

/// <summary>Records made by hand, through the real schema, against golden files: what a user sees.</summary>
public sealed class SinkTests
{
    private const int Returns = 1;
    private static readonly OutputOptions s_text = new(OutputFormat.Text, [], Enrichments.None, Colour: false);

    [Fact]
    public void Text_Calls_AreAlignedColumns() => Golden.Check("calls.txt", Render(s_text, 0, Calls()));

    [Fact]
    public void Text_Returns_ShowResultErrorAndDuration() => Golden.Check("returns.txt", Render(s_text, Returns, ReturnedCalls()));

    [Fact]
    public void Text_Enriched_AddsTimeAndNames()
    {
        Environment.SetEnvironmentVariable("TZ", "UTC");
        Golden.Check("enriched.txt", Render(s_text with { Enrichments = Enrichments.Time | Enrichments.User | Enrichments.Proc }, 0, Calls()));
    }

    [Fact]
    public void Text_Coloured_ClosesEveryColour() =>
        Render(s_text with { Colour = true }, 0, [Call("nginx", 812, 257, 0)]).ShouldBe(
            "\e[36mnginx\e[0m            PID=812      TID=813      UID=33     GID=34     syscall=openat(257)\n");

    [Fact]
    public void Json_Calls_AreObjectsThatParse()
    {
        string lines = Render(s_text with { Format = OutputFormat.Json }, 0, Calls());

        Golden.Check("calls.json", lines);
        foreach (string line in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            JsonDocument.Parse(line).RootElement.GetProperty("module").GetString().ShouldBe("syscall");
    }

    [Fact]
    public void Json_Returns_HaveNullsForWhatIsNotKnown() =>
        Golden.Check(
            "returns.json",
            Render(
                s_text with { Format = OutputFormat.Json, Enrichments = Enrichments.Time | Enrichments.User | Enrichments.Proc }, Returns,
                ReturnedCalls()));

    [Fact]
    public void Fields_Chosen_AreThoseInThatOrder()
    {
        Render(s_text with { Fields = ["syscall", "comm", "pid"] }, 0, [Call("Web Content", 5, 0, 0), Call("a=\"b", 6, 1, 0)]).ShouldBe(
            "syscall=read comm=\"Web Content\" pid=5\nsyscall=write comm=\"a\\x3d\\\"b\" pid=6\n");
        Render(s_text with { Fields = ["arch", "uid"], Format = OutputFormat.Json }, 0, [Call("x", 5, 64, 1)])
            .ShouldBe("{\"arch\":\"i386\",\"uid\":33}\n");
    }

    [Theory]
    [InlineData("foo", "--fields: unknown field 'foo' (available: module comm pid tid uid timestamp gid syscall syscall_nr arch)")]
    [InlineData(
        "time", "--fields: unknown field 'time'; --enrich time adds it (available: module comm pid tid uid timestamp gid " +
        "syscall syscall_nr arch)")]
    [InlineData("ret", "--fields: 'ret': module syscall has it with --returns")]
    [InlineData(
        "syscal",
        "--fields: unknown field 'syscal'; did you mean 'syscall'? (available: module comm pid tid uid timestamp gid " +
        "syscall syscall_nr arch)")]
    public void Fields_Unknown_ListTheValidOnes(string field, string message) =>
        Should.Throw<UsageException>(
            () => FieldSelection.Validate(
            SyscallObject.Events(0), s_text with { Fields = [field] }, static name =>
            name == "ret" ? "module syscall has it with --returns" : null)).Message.ShouldBe(message);

    /// <summary>The word for "not known" stands only where there is no value: no error is 0, and what strace calls "? ERESTARTSYS" is no
    /// result.</summary>
    [Theory]
    [InlineData(0, "ret=0 errno=0 errno_nr=0", "{\"ret\":0,\"errno\":null,\"errno_nr\":0}")]
    [InlineData(-2, "ret=-2 errno=ENOENT errno_nr=2", "{\"ret\":-2,\"errno\":\"ENOENT\",\"errno_nr\":2}")]
    [InlineData(-512, "ret=? errno=ERESTARTSYS errno_nr=512", "{\"ret\":null,\"errno\":\"ERESTARTSYS\",\"errno_nr\":512}")]
    [InlineData(-513, "ret=? errno=ERESTARTNOINTR errno_nr=513", "{\"ret\":null,\"errno\":\"ERESTARTNOINTR\",\"errno_nr\":513}")]
    [InlineData(-514, "ret=? errno=ERESTARTNOHAND errno_nr=514", "{\"ret\":null,\"errno\":\"ERESTARTNOHAND\",\"errno_nr\":514}")]
    [InlineData(-515, "ret=-515 errno=ENOIOCTLCMD errno_nr=515", "{\"ret\":-515,\"errno\":\"ENOIOCTLCMD\",\"errno_nr\":515}")]
    [InlineData(
        -516, "ret=? errno=ERESTART_RESTARTBLOCK errno_nr=516", "{\"ret\":null,\"errno\":\"ERESTART_RESTARTBLOCK\",\"errno_nr\":516}")]
    [InlineData(long.MinValue, "ret=? errno=? errno_nr=?", "{\"ret\":null,\"errno\":null,\"errno_nr\":null}")]
    public void Fields_OfAResult_SayWhatTheProcessSees(long ret, string pairs, string json)
    {
        var options = s_text with { Fields = ["ret", "errno", "errno_nr"] };
        byte[] record = Returned(Call("cat", 1, 0, 0), ret, 0);
        Render(options, Returns, [record]).ShouldBe(pairs + "\n");
        Render(options with { Format = OutputFormat.Json }, Returns, [record]).ShouldBe(json + "\n");
    }

    [Fact]
    public void Fields_NamedTwice_IsAnError() =>
        Should.Throw<UsageException>(
            static () => FieldSelection.Validate(SyscallObject.Events(0), s_text with { Fields = ["pid", "pid"] }, static _ => null))
            .Message.ShouldBe("--fields: 'pid' is named twice");

    [Fact]
    public void Write_AnyBytesInEveryField_StaysWithinTheLineAndParses()
    {
        var random = new Random(20261123);
        foreach (int number in new[] { 0, Returns })
        {
            int bytes = SyscallObject.Events(number).Schemas[0].SizeBytes;
            for (int round = 0; round < 60; round++)
            {
                byte[][] records = [.. Enumerable.Range(0, 50).Select(_ => RandomRecord(random, bytes))];
                string[] json =
                    Render(s_text with { Format = OutputFormat.Json, Enrichments = Enrichments.All }, number, records, hostileNames: true).Split('\n');
                json.Length.ShouldBe(records.Length + 1);
                foreach (string line in json[..^1])
                    JsonDocument.Parse(line).RootElement.GetProperty("comm").ValueKind.ShouldBe(JsonValueKind.String);
                string text = Render(s_text with { Enrichments = Enrichments.All }, number, records, hostileNames: true);
                text.Count(char.IsControl).ShouldBe(records.Length, text);
                text.ShouldEndWith("\n");
            }
        }
    }

    private static byte[] RandomRecord(Random random, int bytes)
    {
        byte[] record = new byte[bytes];
        random.NextBytes(record);
        record[SyscallArchOffset] = (byte)random.Next(5);
        return record;
    }

    /// <summary>Threads that take turns, change their names and users, and share a place in the memory of identities: every line is as if
    /// it were the first.</summary>
    [Theory]
    [InlineData(OutputFormat.Text, "")]
    [InlineData(OutputFormat.Json, "")]
    [InlineData(OutputFormat.Text, "uid comm pid tid syscall")]
    public void Write_ThreadsThatTakeTurns_EachLineIsItsOwn(OutputFormat format, string fields)
    {
        var options =
            s_text with
            {
                Format = format,
                Fields = fields.Split(' ', StringSplitOptions.RemoveEmptyEntries),
                Enrichments = Enrichments.Time
            };
        var random = new Random(1);
        string[] names =
            ["sh", "a much longer n", "\u001b[31mX\n\u00ff\"",
            "\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\u0001\u0002\u0003\u0004\u0005\u0006\u0007", ""];
        byte[][] records = new byte[2000][];
        for (int i = 0; i < records.Length; i++)
        {
            records[i] =
                Call(names[random.Next(names.Length)], (uint)(random.Next(3) + (64 * random.Next(2))), random.Next(3), 0, latin1: true);
            records[i][24] = (byte)random.Next(2);
        }

        string[] lines = Render(options, 0, records).Split('\n');

        for (int i = 0; i < records.Length; i++)
            lines[i].ShouldBe(Render(options, 0, [records[i]]).TrimEnd('\n'));
    }

    [OptimizedFact]
    public void Write_AnEvent_AllocatesNothing()
    {
        var (sink, catalog, _) = Build(s_text with { Enrichments = Enrichments.Time }, Returns);
        byte[] record = ReturnedCalls()[0];
        for (int i = 0; i < 100; i++)
            WriteOne(sink, catalog, record);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 400; i++)
            WriteOne(sink, catalog, record);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [OptimizedFact]
    public void Write_AnEventOnAScreen_AllocatesNothing()
    {
        Environment.SetEnvironmentVariable("TZ", "UTC");
        var (sink, catalog, output) = Build(s_text with { Enrichments = Enrichments.All, Colour = true, Screen = new Screen() }, Returns);
        byte[] record = ReturnedCalls()[2];
        for (int i = 0; i < 100; i++)
            WriteOne(sink, catalog, record);
        sink.Flush();
        WriteOne(sink, catalog, record);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 200; i++)
            WriteOne(sink, catalog, record);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    private const int SyscallArchOffset = 48;

    private static byte[][] Calls() =>
    [
        Call("nginx", 812, 257, 0),
        Call("postgres", 4_194_304, 0, 0),
        Call("old", 7, 64, 1),
        Call("future", 8, 999, 0),
        Call("\u001b[31mX\n\u00ff\"", 9, 39, 0, latin1: true),
        Call("gr\u00fc\u00df \u202e\\", 10, 39, 0),
    ];

    private static byte[][] ReturnedCalls() =>
    [
        Returned(Call("cat", 1, 0, 0), 4096, 950),
        Returned(Call("cat", 1, 257, 0), -2, 12_345),
        Returned(Call("java", 2, 9, 0), 0x7f12_3456_7000, 1_234_567),
        Returned(Call("sh", 3, 230, 0), -516, 2_000_000_000),
        Returned(Call("sh", 3, 231, 0), long.MinValue, 15),
        Returned(Call("odd", 4, 0, 0), -4000, ulong.MaxValue),
    ];

    internal static byte[] Call(string comm, uint pid, int syscall, byte arch, bool latin1 = false)
    {
        byte[] record = new byte[56];
        (latin1 ? Encoding.Latin1 : Encoding.UTF8).GetBytes(comm).CopyTo(record, 0);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(16), pid);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(20), pid + 1);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(24), 33);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(32), 123_456_789);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(40), 34);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(44), syscall);
        record[SyscallArchOffset] = arch;
        return record;
    }

    private static byte[] Returned(byte[] call, long ret, ulong durationNs)
    {
        byte[] record = new byte[72];
        call.CopyTo(record, 0);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(56), ret);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(64), durationNs);
        return record;
    }

    private static string Render(OutputOptions options, int number, byte[][] records, bool hostileNames = false)
    {
        var (sink, catalog, output) = Build(options, number);
        foreach (byte[] record in records)
            WriteOne(sink, catalog, record, hostileNames);
        sink.Flush();
        return output.Text;
    }

    private static void WriteOne(IEventSink sink, EventCatalog catalog, byte[] record, bool hostileNames = false)
    {
        var view = new EventView
        {
            Record = record,
            Schema = catalog.Schemas[0],
            WallTimeNs = 1_795_409_045_123_456_789,
            UserName = hostileNames ? "\u001b]0;\u2028\n"u8 : "www-data"u8,
            ProcName = hostileNames ? record.AsSpan(0, 16) : default,
        };
        sink.Write(ref view);
    }

    private static (IEventSink Sink, EventCatalog Catalog, MemoryOutput Output) Build(OutputOptions options, int number)
    {
        var catalog = SyscallObject.Events(number);
        var output = new MemoryOutput();
        return (LineSink.Create(catalog, options, output), catalog, output);
    }

    private sealed class Screen : IScreen
    {
        public (int Columns, int Rows) Size => (80, 24);
    }
}
