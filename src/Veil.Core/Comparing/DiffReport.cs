// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Veil.Core.Recordings;
using Veil.Core.Text;

namespace Veil.Core.Comparing;

/// <summary>What <c>veil diff</c> says.</summary>
/// <param name="comparison">What differs.</param>
/// <param name="texts">The texts of events.</param>
/// <param name="good">The one recording.</param>
/// <param name="bad">The other one.</param>
internal sealed class DiffReport(RunComparison comparison, TextTable texts, DiffReport.Side good, DiffReport.Side bad)
{
    private const int RolesShown = 20;
    private const int RowsShown = 40;
    private const int RoleWidthMax = 48;
    private const ulong TimeMinNs = 1_000_000;
    private const int TimeFactor = 2;

    /// <summary>A recording.</summary>
    /// <param name="Path">Its name.</param>
    /// <param name="Description">What it is of.</param>
    /// <param name="Run">What it has.</param>
    internal sealed record Side(string Path, RecordingDescription Description, Run Run);

    /// <summary>As people read it.</summary>
    /// <param name="withTime">What calls took is shown too.</param>
    public string Text(bool withTime)
    {
        var text = new StringBuilder();
        AppendSide(text, "good", good);
        AppendSide(text, "bad", bad);
        text.Append('\n');
        if (comparison.First is not { } first)
        {
            text.Append(CultureInfo.InvariantCulture, $"no difference: {Count(comparison.Equal)} calls and events are equal\n");
        }
        else
        {
            text.Append($"first difference: {Headline(first)}\n");
            AppendBoth(text, first);
            if (comparison.FirstFailure is { } failure && (failure.Role, failure.Bad) != (first.Role, first.Bad))
            {
                text.Append($"first that fails only in bad: {Headline(failure)}\n");
                AppendBoth(text, failure);
            }

            AppendRoles(text);
        }

        if (comparison.First is not null || withTime)
            AppendSummary(text, withTime);
        return text.ToString();
    }

    /// <summary>As one object of JSON. It has all rows.</summary>
    /// <param name="withTime">What calls took is shown too.</param>
    public string Json(bool withTime)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteBoolean("same", comparison.First is null);
            WriteSide(json, "good", good);
            WriteSide(json, "bad", bad);
            json.WriteNumber("equal", comparison.Equal);
            Write(json, "first", comparison.First);
            Write(json, "first_failure", comparison.FirstFailure);
            json.WriteStartArray("roles");
            foreach (var role in comparison.Roles)
            {
                json.WriteStartObject();
                json.WriteString("role", role.Role);
                json.WriteNumber("equal", role.Equal);
                json.WriteNumber("changed", role.Changed);
                json.WriteNumber("missing", role.Missing);
                json.WriteNumber("extra", role.Extra);
                Write(json, "first", role.First);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("summary");
            foreach (var row in Rows(withTime))
            {
                json.WriteStartObject();
                json.WriteString("role", row.Role);
                json.WriteString("call", texts.Shown(row.Call));
                Write(json, "good", row.Good);
                Write(json, "bad", row.Bad);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.ToArray()) + "\n";
    }

    private static void AppendSide(StringBuilder text, string name, Side side) => text.Append(
        CultureInfo.InvariantCulture,
        $"{name,-5} {Escaping.ForMessage(side.Path)}: {string.Join(' ', side.Description.Command.Select(Escaping.ForMessage))}\n" +
        $"{"",-5} {Escaping.ForMessage(side.Description.Host)}, {ReplayRange.TimeText(side.Description.Started.RealNs)}, " +
        $"{Count((long)side.Run.Events)} events, {Count(side.Run.Processes)} {(side.Run.Processes == 1 ? "process" : "processes")}" +
        $"{(side.Run.Lost > 0 ? $", {Count((long)side.Run.Lost)} lost" : "")}\n");

    private static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private string Headline(Difference found, bool withRole = true)
    {
        string role = Escaping.ForMessage(found.Role);
        if (found.IsProcess)
            return $"process {role} is only in {(found.IsExtraProcess ? "bad" : "good")}";
        string after = found.EqualBefore == 1 ? "after 1 equal call" : $"after {Count(found.EqualBefore)} equal calls";
        return $"{after}{(withRole ? $", {role}" : "")}: {(found.Good, found.Bad) switch
        {
            ({ } one, { } other) when one.Anchor == other.Anchor => Changed(one, other),
            ({ } one, { } other) => $"{Brief(one)} / {Brief(other)}",
            ({ } one, _) => $"{Brief(one)} / nothing",
            (_, { } other) => $"nothing / {Brief(other)}",
            _ => "",
        }}";
    }

    // What it came to, where that makes the difference; else the first argument that does.
    private string Changed(RunEvent good, RunEvent bad)
    {
        const int most = 60;
        string wasWhole = texts.Compared(good.Whole), nowWhole = texts.Compared(bad.Whole);
        string ResultOf(string whole) => whole.LastIndexOf(" = ", StringComparison.Ordinal) is var at and >= 0 ? whole[at..] : "";
        if (ResultOf(wasWhole) != ResultOf(nowWhole))
            return $"{Subject(good)} = {Result(good)} / {Result(bad)}";
        int results = ResultOf(wasWhole).Length;
        var (was, now) = ArgumentLists.FirstDifference(
            ArgumentLists.Of(wasWhole[..^results]), ArgumentLists.Of(nowWhole[..^results]),
            ArgumentLists.Of(texts.Shown(good.Whole)), ArgumentLists.Of(texts.Shown(bad.Whole)));
        return was.Length > most || now.Length > most ? $"{Subject(good)} with other arguments"
            : $"{Subject(good)} with {Escaping.ForMessage(was)} / {Escaping.ForMessage(now)}";
    }

    private string Brief(RunEvent some) => $"{Subject(some)} = {Result(some)}";

    // The name with the path: openat("/etc/hosts").
    private string Subject(RunEvent some)
    {
        string name = texts.Shown(some.Name), anchor = texts.Shown(some.Anchor), shown = texts.Shown(some.Whole);
        if (!shown.StartsWith(name + "(", StringComparison.Ordinal))
            return Escaping.ForMessage(anchor);
        string rest = anchor.StartsWith(name, StringComparison.Ordinal) ? anchor[name.Length..] : "";
        int bracket = rest.IndexOf('<', StringComparison.Ordinal);
        string path = (bracket < 0 ? rest : rest[..bracket]).Trim();
        // As it was, and not as it is compared.
        int from = shown.IndexOf('"', StringComparison.Ordinal), to = from < 0 ? -1 : shown.IndexOf('"', from + 1);
        string of = path.Length > 0 ? to < 0 ? $"\"{Escaping.ForMessage(path)}\"" : shown[from..(to + 1)] : bracket >= 0 && rest.Length > bracket + 1
            ? Escaping.ForMessage(rest[(bracket + 1)..]) : "";
        return $"{Escaping.ForMessage(name)}({of})";
    }

    private string Result(RunEvent some)
    {
        string shown = texts.Shown(some.Whole);
        int equals = shown.LastIndexOf(") = ", StringComparison.Ordinal);
        if (equals < 0)
            return shown.LastIndexOf(" = ", StringComparison.Ordinal) is var end and >= 0 ? shown[(end + 3)..]
                : shown.IndexOf(" exit_", StringComparison.Ordinal) is var exit and >= 0 ? shown[(exit + 1)..] : "done";
        string result = shown[(equals + 4)..];
        string[] words = result.Split(' ');
        if (words is ["-1" or "?", var error, ..])
            return error;
        return result.IndexOf('<', StringComparison.Ordinal) is var bracket and > 0 ? result[..bracket] : words[0];
    }

    private void AppendBoth(StringBuilder text, Difference found)
    {
        if (found.IsProcess)
            return;
        text.Append($"  good  {(found.Good is { } one ? texts.Shown(one.Whole) : "-")}\n");
        text.Append($"  bad   {(found.Bad is { } other ? texts.Shown(other.Whole) : "-")}\n");
    }

    private void AppendRoles(StringBuilder text)
    {
        text.Append("\nwhat differs, by process\n");
        const int least = 4;
        int width = comparison.Roles.Take(RolesShown).Max(static role => Escaping.ForMessage(role.Role).Length);
        width = Math.Clamp(width, least, RoleWidthMax);
        foreach (var role in comparison.Roles.Take(RolesShown))
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"  {Escaping.ForMessage(role.Role).PadRight(width)}  {Count(role.Equal)} equal, {Count(role.Changed)} changed, " +
                $"{Count(role.Missing)} only in good, {Count(role.Extra)} only in bad\n");
            if (role.First is { } first && first != comparison.First && !first.IsProcess)
                text.Append($"  {"".PadRight(width)}  {Headline(first, withRole: false)}\n");
        }

        if (comparison.Roles.Count > RolesShown)
            text.Append(CultureInfo.InvariantCulture, $"  and {Count(comparison.Roles.Count - RolesShown)} more (--output json has all)\n");
    }

    private void AppendSummary(StringBuilder text, bool withTime)
    {
        var rows = Rows(withTime).ToList();
        if (rows.Count == 0)
            return;
        text.Append(withTime ? "\nwhat calls come to, where that differs (time: twice as long, and by 1 ms)\n"
            : "\nwhat calls come to, where that differs\n");
        int width = Math.Clamp(rows.Take(RowsShown).Max(static row => Escaping.ForMessage(row.Role).Length), 7, RoleWidthMax);
        text.Append(
            CultureInfo.InvariantCulture,
            $"  {"PROCESS".PadRight(width)}  {"CALL",-18} {"CALLS good",12} {"bad",10} {"ERRORS good",12} {"bad",8}");
        text.Append(withTime ? $" {"TIME good",12} {"bad",10}\n" : "\n");
        foreach (var row in rows.Take(RowsShown))
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"  {Escaping.ForMessage(row.Role).PadRight(width)}  {Escaping.ForMessage(texts.Shown(row.Call)),-18} " +
                $"{Count((long)row.Good.Calls),12} {Count((long)row.Bad.Calls),10} " +
                $"{Count((long)row.Good.Errors),12} {Count((long)row.Bad.Errors),8}");
            text.Append(withTime ? $" {Duration(row.Good.TimeNs),12} {Duration(row.Bad.TimeNs),10}\n" : "\n");
        }

        if (rows.Count > RowsShown)
            text.Append(CultureInfo.InvariantCulture, $"  and {Count(rows.Count - RowsShown)} more (--output json has all)\n");
    }

    // What differs most comes first.
    private IEnumerable<(string Role, int Call, CallTotals Good, CallTotals Bad)> Rows(bool withTime) => comparison.Totals
        .Where(row => row.Value.Good.Calls != row.Value.Bad.Calls || row.Value.Good.Errors != row.Value.Bad.Errors
            || (withTime && IsSlower(row.Value.Good.TimeNs, row.Value.Bad.TimeNs)))
        .OrderByDescending(row => withTime ? Apart(row.Value.Good.TimeNs, row.Value.Bad.TimeNs) : 0)
        .ThenByDescending(static row => Apart(row.Value.Good.Errors, row.Value.Bad.Errors))
        .ThenByDescending(static row => Apart(row.Value.Good.Calls, row.Value.Bad.Calls))
        .ThenBy(static row => row.Key.Role, StringComparer.Ordinal).ThenBy(static row => row.Key.Call)
        .Select(static row => (row.Key.Role, row.Key.Call, row.Value.Good, row.Value.Bad));

    private static ulong Apart(ulong one, ulong other) => Math.Max(one, other) - Math.Min(one, other);

    private static bool IsSlower(ulong one, ulong other) =>
        Apart(one, other) >= TimeMinNs && Math.Max(one, other) / TimeFactor >= Math.Min(one, other);

    private static string Duration(ulong nanoseconds)
    {
        var line = new LineWriter(stackalloc byte[32]);
        DurationText.Append(ref line, nanoseconds);
        return Encoding.ASCII.GetString(line.Written);
    }

    private static void WriteSide(Utf8JsonWriter json, string name, Side side)
    {
        json.WriteStartObject(name);
        json.WriteString("file", side.Path);
        json.WriteStartArray("command");
        foreach (string word in side.Description.Command)
            json.WriteStringValue(word);
        json.WriteEndArray();
        json.WriteString("host", side.Description.Host);
        json.WriteString("started", ReplayRange.TimeText(side.Description.Started.RealNs));
        json.WriteNumber("events", side.Run.Events);
        json.WriteNumber("processes", side.Run.Processes);
        json.WriteNumber("lost", side.Run.Lost);
        json.WriteBoolean("complete", !side.Run.IsCut && !side.Run.IsIncomplete);
        json.WriteEndObject();
    }

    private void Write(Utf8JsonWriter json, string name, Difference? found)
    {
        if (found is null)
        {
            json.WriteNull(name);
            return;
        }

        json.WriteStartObject(name);
        json.WriteString("role", found.Role);
        json.WriteString("change", found.Change);
        json.WriteNumber("equal_before", found.EqualBefore);
        json.WriteString("good", found.Good is { } one ? texts.Shown(one.Whole) : null);
        json.WriteString("bad", found.Bad is { } other ? texts.Shown(other.Whole) : null);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, CallTotals totals)
    {
        json.WriteStartObject(name);
        json.WriteNumber("calls", totals.Calls);
        json.WriteNumber("errors", totals.Errors);
        json.WriteNumber("time_ns", totals.TimeNs);
        json.WriteEndObject();
    }
}
