// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Stacks;
using Veil.Core.Text;

namespace Veil.Core.Sinks;

/// <summary>The stacks of an event, a line a frame below its own: the kernel's, which were called last, then those of user space.</summary>
internal sealed class StackLines
{
    private readonly (EventValue Value, byte[] Title)[] _stacks;

    private StackLines((EventValue Value, byte[] Title)[] stacks) => _stacks = stacks;

    /// <summary>What they take at most.</summary>
    public int BytesMax => _stacks.Length * (TakenStack.TextBytesMax + 64);

    /// <summary>Those of one kind of event; nothing: it has none.</summary>
    public static StackLines? Of(EventSchema schema)
    {
        var fields = schema.Fields.Where(static field => field.Value.Is<StackKind>()).ToList();
        // One that is not the event's own has its name above it.
        return fields.Count == 0 ? null : new([.. fields.OrderBy(static field => Rank(field.Name))
            .Select(static field => (field.Value, Rank(field.Name) < 2 ? [] : Encoding.UTF8.GetBytes($"\n  {field.Name}:")))]);
    }

    /// <summary>Appends them.</summary>
    /// <returns>How many lines they are.</returns>
    public int Append(ref LineWriter line, scoped ref EventView view)
    {
        int start = line.Length;
        foreach (var (value, title) in _stacks)
        {
            if (StackKind.Find(value, ref view) is not { } stack)
                continue;
            line.Append(title);
            line.Append(stack.Text(StackTable.Own.Names));
        }

        return line.Written[start..].Count((byte)'\n');
    }

    private static int Rank(string field) => field switch
    {
        StackFields.Kernel => 0,
        StackFields.User => 1,
        _ => 2,
    };
}
