// SPDX-License-Identifier: GPL-3.0-only
using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Veil.Core.Kernel;
using Veil.Core.Losses;
using Veil.Core.Output;
using Veil.Core.Recordings;

namespace Veil.Core.Formats.Html;

/// <summary>
/// The page: its markup, style and script as they are in this folder, and the data as gzip in base64. The policy of the page forbids every
/// connection, and every script but this one; text reaches the document as text alone.
/// </summary>
/// <param name="description">Where, when and how it was recorded.</param>
internal sealed class HtmlPage(RecordingDescription description)
{
    private const int PendingBytesMax = 64 * 1024;

    public required ulong FirstNs { get; init; }

    public required long LastNs { get; init; }

    public required ulong Events { get; init; }

    public required List<HtmlRow> Rows { get; init; }

    public required List<HtmlProcess> Processes { get; init; }

    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>Tables of all events, where the page does not hold them all.</summary>
    public required HtmlTotals? Totals { get; init; }

    public required Dictionary<LossKey, ulong> Lost { get; init; }

    /// <summary>Writes it.</summary>
    public void Write(IOutput output)
    {
        // A number that nobody knew before the recording was made: what is in it cannot name it.
        string nonce = new([.. description.Set.Where(char.IsAsciiLetterOrDigit)]);
        string[] page = Resource("page.html").Replace("NONCE", nonce, StringComparison.Ordinal)
            .Replace("/*STYLE*/", Resource("page.css"), StringComparison.Ordinal)
            .Replace("/*SCRIPT*/", Resource("page.js"), StringComparison.Ordinal).Split("DATA", 2);
        output.Write(Encoding.UTF8.GetBytes(page[0]));
        using (var packed = new PackedStream(output))
        {
            WriteData(packed);
            packed.Complete();
        }

        output.Write(Encoding.UTF8.GetBytes(page[1]));
    }

    private static string Resource(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"this build holds no {name}");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private void WriteData(Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        WriteAbout(json);
        json.WriteStartArray("names");
        foreach (string name in Names)
        {
            json.WriteStringValue(name);
            Relieve(json);
        }

        json.WriteEndArray();
        WriteProcesses(json);
        WriteRows(json);
        if (Totals is { } totals)
            WriteTotals(json, totals);
        json.WriteEndObject();
    }

    // The writer must not hold it all once more.
    private static void Relieve(Utf8JsonWriter json)
    {
        if (json.BytesPending > PendingBytesMax)
            json.Flush();
    }

    private void WriteAbout(Utf8JsonWriter json)
    {
        var (bootNs, realNs) = description.Started;
        json.WriteString("command", string.Join(' ', description.Command));
        json.WriteString("host", description.Host);
        json.WriteString("kernel", description.Kernel);
        json.WriteString("arch", SyscallTable.For(description.Machine).ArchName);
        json.WriteString("veil", description.Veil);
        json.WriteString("started", ReplayRange.TimeText(realNs));
        json.WriteNumber("first_ms", Events > 0 ? ((long)FirstNs - bootNs + realNs) / 1_000_000.0 : realNs / 1_000_000.0);
        json.WriteNumber("last_ns", LastNs);
        json.WriteNumber("events", Events);
        json.WriteStartArray("modules");
        foreach (var module in description.Modules)
        {
            json.WriteStringValue(
                $"{module.Name} by {module.Hook}"
                + string.Concat(module.Filters.Select(static filter => $" --{filter.Name} {filter.Values}")));
        }

        json.WriteEndArray();
        json.WriteStartArray("lost");
        foreach (var (key, count) in Lost)
        {
            json.WriteStartArray();
            json.WriteStringValue(key.Module);
            json.WriteStringValue(key.Cause);
            json.WriteNumberValue(count);
            json.WriteEndArray();
        }

        json.WriteEndArray();
    }

    private void WriteProcesses(Utf8JsonWriter json)
    {
        json.WriteStartArray("processes");
        foreach (var process in Processes)
        {
            json.WriteStartArray();
            json.WriteNumberValue(process.Pid);
            json.WriteNumberValue(process.Parent);
            json.WriteNumberValue(process.Name);
            json.WriteStringValue(Text(process.Executed));
            json.WriteStringValue(Text(process.Ended));
            json.WriteNumberValue(process.FirstNs);
            json.WriteNumberValue(process.LastNs);
            json.WriteNumberValue(process.Events);
            json.WriteNumberValue(process.Errors);
            json.WriteEndArray();
            Relieve(json);
        }

        json.WriteEndArray();
    }

    // Column by column: what stands together is alike, and packs well. Times are differences.
    private void WriteRows(Utf8JsonWriter json)
    {
        json.WriteStartObject("rows");
        long before = 0;
        Column("time", row =>
        {
            long difference = row.TimeNs - before;
            before = row.TimeNs;
            return difference;
        });
        Column("duration", static row => row.DurationNs);
        Column("process", static row => row.Process);
        Column("tid", static row => row.Tid);
        Column("module", static row => row.Module);
        Column("name", static row => row.Name);
        Column("error", static row => row.Error);
        Column("path", static row => row.Path);
        Column("peer", static row => row.Peer);
        json.WriteStartArray("text");
        foreach (var row in Rows)
        {
            json.WriteStringValue(Text(row.Text));
            Relieve(json);
        }

        json.WriteEndArray();
        json.WriteEndObject();

        void Column(string name, Func<HtmlRow, long> value)
        {
            json.WriteStartArray(name);
            foreach (var row in Rows)
            {
                json.WriteNumberValue(value(row));
                Relieve(json);
            }

            json.WriteEndArray();
        }
    }

    private static void WriteTotals(Utf8JsonWriter json, HtmlTotals totals)
    {
        json.WriteStartObject("totals");
        WriteBins(json, "density", totals.Density);
        WriteBins(json, "heat", totals.Heat);
        Table("calls", totals.Calls);
        Table("errors", totals.Errors);
        Table("files", totals.Files);
        Table("peers", totals.Peers);
        json.WriteEndObject();

        void Table(string name, Dictionary<(int, int, int), HtmlTotals.Row> table)
        {
            const int most = 1_000;
            json.WriteStartArray(name);
            foreach (var ((one, two, three), row) in table.OrderByDescending(static of => of.Value.Count).Take(most))
            {
                json.WriteStartArray();
                json.WriteNumberValue(one);
                json.WriteNumberValue(two);
                json.WriteNumberValue(three);
                json.WriteNumberValue(row.Count);
                json.WriteNumberValue(row.Errors);
                json.WriteNumberValue(row.TimeNs);
                json.WriteNumberValue(row.LongestNs);
                json.WriteEndArray();
            }

            json.WriteEndArray();
        }
    }

    private static void WriteBins(Utf8JsonWriter json, string name, HtmlBins bins)
    {
        json.WriteStartObject(name);
        json.WriteNumber("width", bins.WidthNs);
        json.WriteStartArray("rows");
        foreach (var (row, counts) in bins.Rows.OrderBy(static row => row.Key))
        {
            json.WriteStartArray();
            json.WriteNumberValue(row);
            foreach (long count in counts)
                json.WriteNumberValue(count);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
