// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Sinks;

namespace Veil.Core.Export;

/// <summary>How events of one kind become log records. Compiled once.</summary>
internal sealed class OtlpLogPlan
{
    // Of a call with arguments: what a process gave to the kernel.
    private static readonly string[] s_contents = ["args", "path", "path2", "fds", "args_unread", "args_late", "args_truncated", "why"];

    /// <summary>Does a field that is counted by have what a process gave to the kernel, or to a program that it started?</summary>
    public static bool IsContent(string field) => field == "argv" || field.StartsWith("args.", StringComparison.Ordinal);

    // What was written of one thread's identity is copied for its next event, as in LineSink.
    public OtlpLogPlan(EventSchema schema, EventHeader header, in OutputOptions shown, bool severalModules, bool withArguments)
    {
        bool isCall = schema.Fields.Any(static field => field.Value.Is<CallKind>());
        Event = Encoding.UTF8.GetBytes("veil." + schema.Module);
        var attributes = new List<OtlpAttribute>();
        foreach (var field in FieldSelection.Of(schema, shown with { Fields = [] }))
        {
            bool isContent = field.Value.Is<ArgvKind>() || (isCall && s_contents.Contains(field.Name));
            // Those that the record has places of its own for.
            if (field.Name is "timestamp" or "time" || (isContent && !withArguments))
                continue;
            attributes.Add(new(Encoding.UTF8.GetBytes(OtlpNames.Of(schema.Module, field.Name)), field.Value, field.Value.Is<ErrnoKind>()));
        }

        Identity = [.. attributes.Where(attribute => IsIdentity(attribute.Value, header))];
        Rest = [.. attributes.Where(attribute => !IsIdentity(attribute.Value, header))];
        Memory = new IdentityMemory(header);
        Body = Steps(schema, shown, severalModules, isCall && !withArguments, withArguments);
        ValueBytesMax = attributes.Max(static attribute => attribute.Value.BytesMax);
        BodyBytesMax = Body.Sum(static step => step.BytesMax) + 16;
    }

    /// <summary>The event's name.</summary>
    public byte[] Event { get; }

    /// <summary>Attributes that say who it was.</summary>
    public OtlpAttribute[] Identity { get; }

    /// <summary>The others.</summary>
    public OtlpAttribute[] Rest { get; }

    /// <summary>What the first were for some threads.</summary>
    public IdentityMemory Memory { get; }

    /// <summary>The text.</summary>
    public OutputStep[] Body { get; }

    /// <summary>An upper bound of what one value takes.</summary>
    public int ValueBytesMax { get; }

    /// <summary>An upper bound of what the text takes.</summary>
    public int BodyBytesMax { get; }

    private static bool IsIdentity(EventValue value, EventHeader header) =>
        value.Is<ConstantKind>() || (value.Size > 0 && value.Offset + value.Size <= header.IdentityBytes);

    // The columns as text has them, without the blanks that align lines. The text of a call is its arguments: without them its name
    // stands there.
    private static OutputStep[] Steps(EventSchema schema, in OutputOptions shown, bool severalModules, bool replacesCall, bool withArguments)
    {
        var columns = LineColumns.Of(schema, shown with { Enrichments = shown.Enrichments & ~Enrichments.Time }, severalModules)
            .Where(column => withArguments || (column.Name is not ("call" or "argv") && !(replacesCall && column.Name == "why")))
            .Select(static column => (column.Label, column.Value)).ToList();
        if (replacesCall)
        {
            foreach (string name in new[] { "syscall", "ret", "errno" })
                columns.Add((name + "=", schema.Fields.First(field => field.Name == name).Value));
        }

        return
            [.. columns.Select(
            static (column, i) =>
            new OutputStep(Encoding.UTF8.GetBytes((i == 0 ? "" : " ") + column.Label), column.Value, 0, [], []))];
    }
}

/// <summary>A field as an attribute.</summary>
/// <param name="Key">Its name.</param>
/// <param name="Value">Its value.</param>
/// <param name="IsError">Is it an error, where it is there?</param>
internal readonly record struct OtlpAttribute(byte[] Key, EventValue Value, bool IsError);
