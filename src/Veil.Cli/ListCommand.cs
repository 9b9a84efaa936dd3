// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using System.Text;
using System.Text.Json;
using Veil.Core;
using Veil.Core.Containers;
using Veil.Core.Modules;
using Veil.Core.Output;
using Veil.Core.Sinks;
using Veil.Core.Stacks;
using Veil.Core.Text;
using Veil.Modules;

namespace Veil.Cli;

/// <summary><c>--list-modules</c>, <c>--list-fields MODULE</c>, <c>--list-containers</c>: what there is. Traces nothing.</summary>
internal static class ListCommand
{
    /// <summary>Was one of them asked for?</summary>
    public static bool IsAsked(ParseResult parsed, TraceFlags flags) =>
        parsed.GetValue(flags.ListModules) || parsed.GetValue(flags.ListContainers) || parsed.GetValue(flags.ListFields) is not null;

    /// <summary>Lists; the exit code.</summary>
    public static int Run(ParseResult parsed, TraceFlags flags)
    {
        Option asked = parsed.GetValue(flags.ListModules) ? flags.ListModules
            : parsed.GetValue(flags.ListContainers) ? flags.ListContainers : flags.ListFields;
        // Nothing is traced, so whatever else was given would be ignored.
        foreach (var option in flags.All)
        {
            if (option != asked && option != flags.Output && parsed.GetResult(option) is { Implicit: false })
                throw new UsageException($"{option.Name}: {asked.Name} traces nothing; leave one of them out");
        }

        bool asJson = OutputFormats.Parse(parsed.GetValue(flags.Output)) == OutputFormat.Json;
        string list = asked == flags.ListModules ? Modules(asJson, TerminalScreen.Of(StandardStreams.Output)?.Size.Columns)
            : asked == flags.ListContainers ? ContainerList.Text(new ContainerNames(), asJson)
            : Fields(Find(parsed.GetValue(flags.ListFields)!), asJson);
        StandardStreams.WriteOutput(list);
        if (list.Length == 0)
            Messages.Write("no container runs here");
        if (asked == flags.ListContainers && !Environment.IsPrivilegedProcess)
            Messages.Write("warning: --list-containers: the runtimes' files are root's: names are unknown; run it as root");
        return ExitCode.Success;
    }

    private static TraceModule Find(string name) => ModuleCatalog.All.FirstOrDefault(module => module.Name == name)
        ?? throw new UsageException(
            $"--list-fields: unknown module '{Escaping.ForMessage(name)}'{NearestName.Hint(name, Names)} (available: " +
            $"{string.Join(", ", Names)})");

    private static List<string> Names => [.. ModuleCatalog.All.Select(static module => module.Name)];

    /// <summary>The modules; where the terminal is narrower than a line, each line's parts below each other.</summary>
    internal static string Modules(bool asJson, int? columns)
    {
        if (asJson)
        {
            return Lines(ModuleCatalog.All, static (json, module) =>
            {
                json.WriteString("module", module.Name);
                json.WriteString("summary", module.Summary);
                WriteNames(json, "filters", module.Filters.Select(static filter => filter.Name));
                WriteNames(json, "flags", module.Flags.Select(static flag => flag.Name));
                WriteNames(json, "hooks", module.Rungs.Select(static rung => rung.Name));
            });
        }

        const string indent = "           ";
        var rows =
            ModuleCatalog.All.Select(
            static module =>
            (module.Name, module.Summary,
            Own: string.Join(
            ' ', module.OwnFilters.Select(static filter => filter.Name).Concat(module.Flags.Select(static flag => flag.Name))
            .Select(static name => "--" + name)))).ToList();
        var lines = rows.ConvertAll(static row => $"{row.Name,-10} {row.Summary,-62} {row.Own}".TrimEnd());
        if (columns is { } width && lines.Exists(line => line.Length > width))
        {
            lines = [
                .. rows.SelectMany(
                row => WordWrap.Lines(row.Summary, width - indent.Length).Concat(WordWrap.Lines(row.Own, width - indent.Length))
                .Select((line, number) => (number == 0 ? $"{row.Name,-10} " : indent) + line))];
        }

        return string.Join('\n', lines) + "\n";
    }

    private static string Fields(TraceModule module, bool asJson)
    {
        var fields = FieldsOf(module);
        if (asJson)
        {
            return Lines(fields, static (json, field) =>
            {
                json.WriteString("field", field.Name);
                json.WriteString("type", field.Type);
                json.WriteString("needs", field.Needs);
            });
        }

        return string.Concat(fields.Select(static field => $"{field.Name,-14} {field.Type,-18} {field.Needs}".TrimEnd() + "\n"));
    }

    // Those of the events as they are, those that a switch adds, and those of --enrich.
    internal static List<(string Name, string Type, string? Needs)> FieldsOf(TraceModule module) =>
    [
        .. ModuleFields.Of(module)
            .Select(static known => (known.Field.Name, known.Field.Value.JsonType, known.Flag is null ? null : "--" + known.Flag)),
        .. OriginField.All.Select(
            static added => (added.Name, added.JsonType, (string?)("--enrich " + EnrichedColumns.FlagValueOf(added.By))))
            .Where(added => !ModuleFields.Of(module).Any(known => known.Field.Name == added.Name)),
        .. new[] { (StackFields.User, "array or null", (string?)"--stack user"), (StackFields.Kernel, "array or null", "--stack kernel") }
            .Where(added => !ModuleFields.Of(module).Any(known => known.Field.Name == added.Item1)),
        .. EnrichedColumns.All.Select(
            static added =>
            (added.Column.Name, added.Column.Value.JsonType, (string?)("--enrich " + EnrichedColumns.FlagValueOf(added.By))))
            .Where(added => !ModuleFields.Of(module).Any(known => known.Field.Name == added.Name)
                && (added.Name != EnrichedColumns.Why.Name
                    || ModuleFields.Of(module).Any(static known => known.Field.Name is "target" or "argv" or "args"))),
    ];

    internal static string Lines<T>(IEnumerable<T> items, Action<Utf8JsonWriter, T> write)
    {
        using var memory = new MemoryStream();
        foreach (var item in items)
        {
            using (var json = new Utf8JsonWriter(memory))
            {
                json.WriteStartObject();
                write(json, item);
                json.WriteEndObject();
            }

            memory.WriteByte((byte)'\n');
        }

        return Encoding.UTF8.GetString(memory.ToArray());
    }

    private static void WriteNames(Utf8JsonWriter json, string property, IEnumerable<string> names)
    {
        json.WriteStartArray(property);
        foreach (string name in names)
            json.WriteStringValue(name);
        json.WriteEndArray();
    }
}
