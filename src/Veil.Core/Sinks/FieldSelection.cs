// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Kernel;
using Veil.Core.Text;

namespace Veil.Core.Sinks;

/// <summary>The fields that JSON and <c>--fields</c> can show: those of the record, and those that enrichments add.</summary>
public static class FieldSelection
{
    /// <summary>The enrichment that adds a field, or none.</summary>
    public static Enrichments EnrichmentOf(string field) =>
        EnrichedColumns.All.FirstOrDefault(added => added.Column.Name == field).By
        | OriginField.All.FirstOrDefault(origin => origin.Name == field).By;

    /// <summary>
    /// The fields of one kind of event, in the order in which they are shown. Every line has all that were chosen: those that the kind
    /// lacks are not known.
    /// </summary>
    public static List<EventField> Of(EventSchema schema, in OutputOptions options)
    {
        var all = new List<EventField>(schema.Fields);
        foreach (var (by, column) in EnrichedColumns.All)
        {
            if (options.Enrichments.HasFlag(by))
                all.Add(new(column.Name, column.Value));
        }

        if (options.Fields.Count == 0)
            return all;

        return [.. options.Fields.Select(
            name => new EventField(
            name, all.Find(field => field.Name == name).Value ?? ArgumentKind.Of(all, name) ?? new EventValue<AbsentKind>()))];
    }

    /// <summary>Checks the names of <c>--fields</c> against all events of the session.</summary>
    /// <param name="catalog">The events.</param>
    /// <param name="options">The names.</param>
    /// <param name="hintFor">How to get a field that the events lack, or nothing.</param>
    /// <exception cref="UsageException">A name that no event has; lists the valid ones.</exception>
    public static void Validate(EventCatalog catalog, in OutputOptions options, Func<string, string?> hintFor)
    {
        var valid = new List<string>();
        foreach (var schema in catalog.Schemas)
        {
            foreach (var field in Of(schema, options with { Fields = [] }))
            {
                if (!valid.Contains(field.Name))
                    valid.Add(field.Name);
            }
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string name in options.Fields)
        {
            if (!seen.Add(name))
                throw new UsageException($"--fields: '{Escaping.ForMessage(name)}' is named twice");
            if (valid.Contains(name))
                continue;
            bool isArgument = name.StartsWith(ArgumentKind.Prefix, StringComparison.Ordinal);
            if (isArgument && valid.Contains("args"))
            {
                ValidateArgument("--fields", ArgumentKind.NameIn(name));
                continue;
            }

            if (hintFor(isArgument ? "args" : name) is { } how)
                throw new UsageException($"--fields: '{Escaping.ForMessage(name)}': {how}");
            string hint = name switch
            {
                _ when EnrichmentOf(name) is not Enrichments.None and var by => $"; --enrich {EnrichedColumns.FlagValueOf(by)} adds it",
                _ => NearestName.Hint(name, valid),
            };
            throw new UsageException($"--fields: unknown field '{Escaping.ForMessage(name)}'{hint} (available: {string.Join(' ', valid)})");
        }
    }

    /// <summary>Is there a call that has an argument of this name?</summary>
    /// <exception cref="UsageException">There is none.</exception>
    internal static void ValidateArgument(string flag, string name)
    {
        var known = SyscallParameters.Names();
        if (!known.Contains(name))
            throw new UsageException(
                $"{flag}: no call has an argument " +
                $"'{Escaping.ForMessage(name)}'{NearestName.Hint(ArgumentKind.Prefix + name, known.Select(static one => ArgumentKind.Prefix + one))}");
    }
}
