// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Sinks;
using Veil.Modules;

namespace Veil.Cli.Tests.Screens;

/// <summary>Events of the real modules on screens of some widths: what a person sees at a terminal.</summary>
public sealed class ScreenTests
{
    private static readonly OutputOptions s_text = new(OutputFormat.Text, [], Enrichments.None, Colour: false);
    private static readonly string[] s_signs =
        ["a", "/", " ", "=", "\\", "\n", "\u001b[2J", "漢", "e\u0301", "😀", "한", "\u202e", "ﾃ", "-long-word-without-a-blank-"];

    public static TheoryData<string> Modules => [.. ModuleCatalog.All.Select(static module => module.Name)];

    [Theory]
    [InlineData(80)]
    [InlineData(120)]
    [InlineData(160)]
    public void Rows_OfEveryModule_AreThoseThatAPersonHasRead(int columns)
    {
        Environment.SetEnvironmentVariable("TZ", "UTC");
        var text = new StringBuilder();
        foreach (string name in ModuleCatalog.All.Select(static module => module.Name))
            text.Append(Samples.Render(name, columns, s_text)).Append('\n');
        text.Append(Samples.Render("syscall", columns, s_text with { Enrichments = Enrichments.Time })).Append('\n');
        text.Append(Samples.Render("files", columns, s_text with { Enrichments = Enrichments.All })).Append('\n');
        text.Append(Samples.Render("syscall,files,network", columns, s_text));

        Golden.Check($"screen-{columns}.txt", text.ToString());
    }

    /// <summary>80 columns for the modules of one process, 120 for those of two sides: an event is a row, with everything that it has to
    /// say.</summary>
    [Theory]
    [InlineData("syscall", 80)]
    [InlineData("memory", 80)]
    [InlineData("uprobe", 80)]
    [InlineData("scheduler", 120)]
    public void Rows_OfUsualEvents_AreOneEach(string module, int columns)
    {
        var (rows, events) =
            (Samples.Render(module, columns, s_text, withRare: false).Split('\n', StringSplitOptions.RemoveEmptyEntries),
            Samples.Of(module).Count);

        rows.Length.ShouldBe(events + 1);
        rows.ShouldAllBe(row => Cells(row) <= columns);
    }

    /// <summary>Whatever the bytes are: no row is wider than the screen, no control byte is in it, and every row after the first of an
    /// event is indented.</summary>
    [Theory]
    [MemberData(nameof(Modules))]
    public void Rows_OfAnyBytes_FitTheScreen(string name)
    {
        var random = new Random(7);
        foreach (int columns in (int[])[24, 40, 57, 80, 100, 120, 160, 200])
        {
            foreach (var enrichments in (Enrichments[])[Enrichments.None, Enrichments.All])
            {
                var catalog = Samples.Catalog(name);
                var output = new Collected();
                var sink =
                    LineSink.Create(catalog, s_text with { Enrichments = enrichments, Screen = new FakeScreen(columns, 24) }, output);
                for (int i = 0; i < 200; i++)
                {
                    var schema = catalog.Schemas[random.Next(catalog.Schemas.Count)];
                    Samples.Write(
                        sink, schema, AnyRecord(schema, random), Encoding.UTF8.GetBytes(AnyText(random, 20)),
                        Encoding.UTF8.GetBytes(AnyText(random, 20)));
                }

                sink.Flush();
                string[] rows = output.Text.ToString().Split('\n');
                rows[^1].ShouldBeEmpty();
                foreach (string row in rows)
                {
                    Cells(row).ShouldBeLessThanOrEqualTo(columns, $"{columns}: {row}");
                    row.Any(char.IsControl).ShouldBeFalse(row);
                    row.ShouldBe(row.TrimEnd(' '));
                }
            }
        }
    }

    [Fact]
    public void Name_OfWideOrCombiningCharacters_KeepsTheColumns()
    {
        string[] rows =
            Samples.Render("syscall", 80, s_text, ["nginx", "漢字", "e\u0301e\u0301", "😀", "\u001b\u001b\u001b\u001b\u001b\u001b"])
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);

        int at = rows[0].IndexOf("SYSCALL", StringComparison.Ordinal);
        foreach (string row in rows[1..])
            Cells(row[..row.IndexOf("openat", StringComparison.Ordinal)]).ShouldBe(at, row);
        rows[^1].ShouldStartWith("\\x1b…\\x1b\\x1b ");
    }

    [Fact]
    public void Header_ComesAgain_AfterEachScreenful()
    {
        string[] rows =
            Samples.Render("syscall", 80, s_text, [.. Enumerable.Repeat("nginx", 60)]).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        // 24 rows: of any that are seen at once, one is a header.
        rows.Index().Where(static row => row.Item.StartsWith("COMM", StringComparison.Ordinal)).Select(static row => row.Index)
            .ShouldBe([0, 24, 48]);
    }

    [Fact]
    public void Columns_WindowIsMadeWider_FollowWithAHeader()
    {
        var screen = new FakeScreen(80, 24);
        var catalog = Samples.Catalog("syscall");
        var output = new Collected();
        var sink = LineSink.Create(catalog, s_text with { Screen = screen }, output);
        var (schema, record) = Samples.Of("syscall", catalog)[0];
        Samples.Write(sink, schema, record);
        sink.Flush();
        screen.Size = (120, 24);
        Samples.Write(sink, schema, record);
        sink.Flush();
        screen.Size = (120, 50);
        Samples.Write(sink, schema, record);
        sink.Flush();

        string[] rows = output.Text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        rows.Select(static row => row.Split(' ')[0]).ShouldBe(["COMM", "nginx", "COMM", "nginx", "nginx"]);
        rows[2].Length.ShouldBeGreaterThan(rows[0].Length);
    }

    /// <summary>A window that grows shows more columns than there were when the memory of a line was made.</summary>
    [Theory]
    [MemberData(nameof(Modules))]
    public void Rows_WindowOfAnySize_HaveRoomForEveryColumn(string name)
    {
        var random = new Random(3);
        var screen = new FakeScreen(20, 24);
        var catalog = Samples.Catalog(name);
        var sink = LineSink.Create(catalog, s_text with { Enrichments = Enrichments.All, Colour = true, Screen = screen }, new Collected());
        byte[] longest = [.. Enumerable.Repeat((byte)1, EventPart.LengthMax)];
        foreach (int columns in (int[])[20, 1_000, 65_535, 1, 300])
        {
            screen.Size = (columns, 24);
            foreach (var schema in catalog.Schemas)
            {
                byte[] record = AnyRecord(schema, random);
                foreach (var path in schema.Fields.Where(static field => IsPart(field.Value)))
                {
                    new EventPart((uint)record.Length, longest.Length, true, false).Write(record.AsSpan(path.Value.Offset));
                    record = [.. record, .. longest];
                }

                Samples.Write(sink, schema, record, longest.AsSpan(..256), longest.AsSpan(..256));
            }

            Should.NotThrow(sink.Flush);
        }
    }

    [Fact]
    public void Colours_OfEveryColumn_AreClosed()
    {
        string rows = Samples.Render("syscall", 80, s_text with { Colour = true }, ["nginx"]);

        rows.ShouldStartWith("\e[1mCOMM");
        rows.Split('\n')[0].ShouldEndWith("\e[0m");
        rows.Split('\n')[1].ShouldStartWith("\e[36mnginx\e[0m ");
    }

    /// <summary>What is no terminal, and --wide, keep the columns of every other place.</summary>
    [Fact]
    public void Lines_WithoutAScreen_AreTheFullColumns() =>
        Samples.Render("syscall", columns: null, s_text, ["nginx"]).ShouldBe(
            "nginx            PID=812      TID=812      UID=33     GID=33     syscall=openat(257)             ret=3               " +
                "errno=0                  duration=12.345us\n");

    // Not the product's own arithmetic: of the characters that are used here it is known.
    internal static int Cells(string row) => row.EnumerateRunes().Sum(static rune => rune.Value switch
    {
        >= 0x300 and < 0x370 => 0,
        0x2026 or 0xfffd => 1,
        >= 0xff61 and <= 0xff9f => 1,
        >= 0x1100 => 2,
        _ => 1,
    });

    private static string AnyText(Random random, int signs) =>
        string.Concat(Enumerable.Range(0, random.Next(signs)).Select(_ => s_signs[random.Next(s_signs.Length)]));

    // The kernel cuts a name wherever 15 bytes end.
    private static byte[] AnyName(Random random)
    {
        byte[] name = Encoding.UTF8.GetBytes(AnyText(random, 6));
        Array.Resize(ref name, 16);
        name[15] = 0;
        return name;
    }

    private static bool IsPart(EventValue value) => value.Is<PathKind>() || value.Is<ArgvKind>();

    private static byte[] AnyRecord(EventSchema schema, Random random)
    {
        var parts = schema.Fields.Where(static field => IsPart(field.Value)).Select(static field => field.Value).ToList();
        var texts = parts.ConvertAll(_ => Encoding.UTF8.GetBytes(AnyText(random, 80)));
        byte[] record = new byte[schema.SizeBytes + texts.Sum(static text => text.Length)];
        random.NextBytes(record.AsSpan(0, schema.SizeBytes));
        foreach (var field in schema.Fields)
        {
            if (field.Value.Is<SyscallKind>())
                record[field.Value.Offset + 4] = (byte)random.Next(5);
            else if (field.Value.Is<CommKind>() || field.Value.Is<SomeCommKind>())
                AnyName(random).CopyTo(record.AsSpan(field.Value.Offset));
            else if (field.Value.Is<EnumKind>() || field.Value.Is<OptionalEnumKind>())
                record.AsSpan(field.Value.Offset, field.Value.Size).Clear();
        }

        int at = schema.SizeBytes;
        for (int i = 0; i < parts.Count; i++)
        {
            bool isThere = random.Next(4) > 0;
            texts[i].CopyTo(record.AsSpan(at));
            new EventPart(isThere ? (uint)at : 0, isThere ? texts[i].Length : 0, isThere && random.Next(2) == 0, false)
                .Write(record.AsSpan(parts[i].Offset));
            at += texts[i].Length;
        }

        schema.IsWhole(record).ShouldBeTrue();
        return record;
    }
}
