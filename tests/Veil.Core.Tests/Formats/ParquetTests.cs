// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using System.Text.Json;
using Parquet;
using Parquet.Schema;
using Veil.Core.Formats.Parquet;
using ParquetWriter = Veil.Core.Formats.Parquet.ParquetWriter;

namespace Veil.Core.Tests.Formats;

/// <summary>Tables, as another implementation reads them (Parquet.Net).</summary>
public sealed class ParquetTests
{
    private static readonly string[] s_numbers = ["pid", "tid", "uid", "timestamp", "gid", "syscall_nr"];
    private static readonly string[] s_texts = ["module", "comm", "syscall", "arch", "username", "proc_name"];

    [Fact]
    public async Task Parquet_GoldenRecording_HasTheSameValues()
    {
        var lines = File.ReadLines(Path.ChangeExtension(ExportedRecording.Golden, ".json")).Select(static line => JsonDocument.Parse(line).RootElement)
            .Where(static line => line.TryGetProperty("syscall", out _)).ToList();
        await using var reader = await ParquetReader.CreateAsync(new MemoryStream(ExportedRecording.Of(new ParquetFormat())));
        reader.RowGroupCount.ShouldBe(1);
        using var group = reader.OpenRowGroupReader(0);
        group.RowCount.ShouldBe(lines.Count);
        foreach (string name in s_numbers)
            (await Numbers(reader, group, name)).ShouldBe(lines.Select(line => (long?)line.GetProperty(name).GetInt64()), name);
        foreach (string name in s_texts)
            (await Texts(reader, group, name)).ShouldBe(lines.Select(line => line.GetProperty(name).GetString()), name);
    }

    [Fact]
    public async Task Parquet_ChosenFields_AreTheColumns()
    {
        await using var reader = await ParquetReader.CreateAsync(
            new MemoryStream(ExportedRecording.Of(new ParquetFormat(), fields: ["syscall", "time", "pid"])));
        reader.Schema.DataFields.Select(static field => field.Name).ShouldBe(["syscall", "time", "pid"]);
        reader.CustomMetadata["veil.recording"].ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Writer_NoRows_IsAFile()
    {
        var output = new MemoryOutput();
        new ParquetWriter([new ParquetColumn("a", ParquetType.Text)], [], output).End();
        await using var reader = await ParquetReader.CreateAsync(new MemoryStream(output.Bytes));
        reader.RowGroupCount.ShouldBe(0);
    }

    /// <summary>Several groups; columns with all values, with none, with some; texts that repeat, and texts that do not.</summary>
    [Fact]
    public async Task Writer_ManyRows_AreReadAsTheyWere()
    {
        const int rows = (2 * ParquetWriter.RowsMax) + 12_345;
        var output = new MemoryOutput();
        ParquetColumn full = new("full", ParquetType.Number), some = new("some", ParquetType.Number), none = new("none", ParquetType.Text),
            few = new("few", ParquetType.Text), many = new("many", ParquetType.Text);
        var writer = new ParquetWriter([full, some, none, few, many], [("k", "v")], output);
        for (int row = 0; row < rows; row++)
        {
            full.Set(writer.Row, NumberOf(row));
            if (SomeOf(row) is { } number)
                some.Set(writer.Row, number);
            if (FewOf(row) is { } text)
                few.Set(writer.Row, Encoding.UTF8.GetBytes(text));
            many.Set(writer.Row, Encoding.UTF8.GetBytes(ManyOf(row)));
            writer.EndRow();
        }

        writer.End();
        await using var reader = await ParquetReader.CreateAsync(new MemoryStream(output.Bytes));
        int first = 0;
        for (int number = 0; number < reader.RowGroupCount; number++)
        {
            using var group = reader.OpenRowGroupReader(number);
            var range = Enumerable.Range(first, (int)group.RowCount).ToList();
            Same(await Numbers(reader, group, "full"), range.ConvertAll(static row => (long?)NumberOf(row)));
            Same(await Numbers(reader, group, "some"), range.ConvertAll(SomeOf));
            Same(await Texts(reader, group, "none"), range.ConvertAll(static _ => (string?)null));
            Same(await Texts(reader, group, "few"), range.ConvertAll(FewOf));
            Same(await Texts(reader, group, "many"), range.ConvertAll(static row => (string?)ManyOf(row)));
            first += range.Count;
        }

        first.ShouldBe(rows);
    }

    private static long NumberOf(int row) => row % 3 == 0 ? long.MinValue + row : row * 1_000_003L;

    private static long? SomeOf(int row) => row % 7 < 3 ? row : null;

    private static string? FewOf(int row) => row % 11 == 0 ? null : $"väl {row % 300}";

    private static string ManyOf(int row) => row.ToString(CultureInfo.InvariantCulture);

    // Of two hundred thousand Shouldly would look for long for what differs.
    private static void Same<T>(T?[] read, List<T?> expected)
    {
        read.Length.ShouldBe(expected.Count);
        for (int i = 0; i < read.Length; i++)
        {
            if (!EqualityComparer<T?>.Default.Equals(read[i], expected[i]))
                read[i].ShouldBe(expected[i], $"row {i}");
        }
    }

    private static DataField Field(ParquetReader reader, string name) => reader.Schema.DataFields.Single(field => field.Name == name);

    private static async Task<long?[]> Numbers(ParquetReader reader, ParquetRowGroupReader group, string name)
    {
        var values = new long?[group.RowCount];
        await group.ReadAsync<long>(Field(reader, name), values.AsMemory());
        return values;
    }

    private static async Task<string?[]> Texts(ParquetReader reader, ParquetRowGroupReader group, string name)
    {
        string?[] values = new string?[group.RowCount];
        await group.ReadAsync(Field(reader, name), values.AsMemory()!);
        return values;
    }
}
