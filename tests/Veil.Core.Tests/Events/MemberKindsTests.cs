// SPDX-License-Identifier: GPL-3.0-only
using System.Text.RegularExpressions;
using Veil.Core.Events.Kinds;

namespace Veil.Core.Tests.Events;

/// <summary>The typedefs of the programs, the kinds of value and the table in the docs are one list.</summary>
public sealed partial class MemberKindsTests
{
    [Fact]
    public void Typedefs_OfTheHeader_AreAllKinds()
    {
        string header = File.ReadAllText(Path.Combine(SyscallObject.Root, "bpf/veil/types.bpf.h"));

        Typedef().Matches(header).Select(static match => match.Groups["name"].Value)
            .ShouldBe(MemberKinds.Typedefs.Where(static name => name.StartsWith("veil_", StringComparison.Ordinal)), ignoreOrder: true);
    }

    [Fact]
    public void Table_InTheDocs_IsWhatEachKindGives()
    {
        var rows = File.ReadLines(Path.Combine(SyscallObject.Root, "docs/adding-a-module.md"))
            .SkipWhile(static line => !line.StartsWith("| type | C |", StringComparison.Ordinal))
            .TakeWhile(static line => line.StartsWith('|')).Skip(2).Select(static line => line.Split('|', StringSplitOptions.TrimEntries))
                .ToList();

        foreach (string[] row in rows)
        {
            foreach (Match typedef in Quoted().Matches(row[1]))
                $"{typedef}: {Fields(typedef.Groups["name"].Value)} | {Columns(typedef.Groups["name"].Value)}".ShouldBe(
                    $"{typedef}: {row[3]} | {row[4]}");
        }

        rows.SelectMany(static row => Quoted().Matches(row[1])).Select(static match => match.Groups["name"].Value)
            .ShouldBe(MemberKinds.Typedefs, ignoreOrder: true);
    }

    private static string Fields(string typedef) => Kind.Of(typedef).Fields is { Count: > 0 } fields
        ? string.Join(", ", fields.Select(static field => $"`{field.Name}`: {field.Value.JsonType}")) : "none";

    private static string Columns(string typedef) => Kind.Of(typedef).Columns is { Count: > 0 } columns
        ? string.Join(
            ", ", columns.Select(
            column => (column.Label.Length > 0 ? $"`{column.Label}`" : "no label")
            + (typedef == EnumKind.Keyword ? " and the longest" : column.Width > 0 ? $" {column.Width}" : " last")))
        : "none";

    [GeneratedRegex(
        @"^(typedef [^{;]*|} )\b(?<name>veil_\w+_t)(\[\d+\])?( __attribute__\(\(aligned\(\d+\)\)\))?;",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Typedef();

    [GeneratedRegex("`(?<name>[a-z0-9_]+)`", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Quoted();
}
