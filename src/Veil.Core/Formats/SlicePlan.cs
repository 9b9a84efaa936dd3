// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Sinks;

namespace Veil.Core.Formats;

/// <summary>What an event of one kind is on a time line: its name, how long it took, and the rest. Compiled once.</summary>
internal sealed class SlicePlan
{
    // The first of them that a kind of event has says what it is.
    private static readonly string[] s_names = ["syscall", "symbol", "op", "signal", "evt_type"];

    // They stand elsewhere on a time line.
    private static readonly string[] s_elsewhere = ["module", "comm", "pid", "tid", "timestamp", "time"];

    // How long something lived that a thread did not wait for: a connection, a process.
    private static readonly string[] s_lives = ["network", "process"];

    /// <summary>Finds the values.</summary>
    /// <param name="schema">The events.</param>
    /// <param name="shown">The fields that were chosen, and what is known beside the records.</param>
    public SlicePlan(EventSchema schema, in OutputOptions shown)
    {
        var fields = FieldSelection.Of(schema, shown with { Fields = [] });
        Module = Encoding.UTF8.GetBytes(schema.Module);
        Name = s_names.Select(name => Find(fields, name)).FirstOrDefault(static value => value is not null);
        Duration = Find(fields, "duration_ns") is { Size: sizeof(ulong) } duration ? duration : null;
        Child = Find(fields, "child_tid") is { Size: sizeof(uint) } child ? child : null;
        IsOfThread = !s_lives.Contains(schema.Module);
        Arguments =
            [.. (shown.Fields.Count > 0 ? FieldSelection.Of(schema, shown).Where(static field => !field.Value.Is<AbsentKind>()) : fields)
                .Where(field => !s_elsewhere.Contains(field.Name) && field.Value != Name && field.Value != Duration)
                .Select(static field => new OutputStep([], field.Value, 0, Encoding.UTF8.GetBytes(field.Name), []))];
        BytesMax = Arguments.Select(static argument => argument.BytesMax).Append(Name?.BytesMax ?? 0).Max() + 64;
    }

    /// <summary>The module.</summary>
    public byte[] Module { get; }

    /// <summary>What it is called; none: as its module.</summary>
    public EventValue? Name { get; }

    /// <summary>How long it took until its time; none: it is a moment.</summary>
    public EventValue? Duration { get; }

    /// <summary>The thread that it makes, all ones for none; or none of these events makes one.</summary>
    public EventValue? Child { get; }

    /// <summary>Was its thread in it for that time?</summary>
    public bool IsOfThread { get; }

    /// <summary>All else.</summary>
    public OutputStep[] Arguments { get; }

    /// <summary>An upper bound of what one value takes.</summary>
    public int BytesMax { get; }

    /// <summary>How long an event took; nothing where that is not known.</summary>
    public ulong? DurationOf(ReadOnlySpan<byte> record) =>
        Duration?.Unsigned(record) is { } duration && duration != ulong.MaxValue ? duration : null;

    private static EventValue? Find(List<EventField> fields, string name) => fields.Find(field => field.Name == name).Value;
}
