// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Stacks;
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>A stack, by its id. Text has it below the line of the event (<see cref="Sinks.StackLines"/>), so it is no column.</summary>
internal readonly struct StackKind : IMemberKind, IValueKind
{
    public static string[] Typedefs => ["veil_ustack_t", "veil_kstack_t"];

    public static ValueFacts Facts { get; } = new("array or null", KeyKind.Word, null);

    public static void Expand(MemberShape member) => member.Field<StackKind>(member.Name);

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
    {
        if (Find(value, ref view) is not { } stack)
            return TStyle.Unknown(ref line);
        var names = StackTable.Own.Names;
        if (typeof(TStyle) == typeof(JsonStyle))
            return line.Append(stack.Json(names));
        var folded = stack.Folded(names);
        if (typeof(TStyle) != typeof(PairStyle) || folded.IndexOfAny((byte)' ', (byte)'"') < 0)
            return line.Append(folded);
        // As pairs quote a value with a blank in it.
        line.Append((byte)'"');
        foreach (byte one in folded)
        {
            if (one == (byte)'"')
                line.Append((byte)'\\');
            line.Append(one);
        }

        line.Append((byte)'"');
        return folded.Length;
    }

    public static int BytesMax(EventValue value) => TakenStack.TextBytesMax;

    /// <summary>The stack of an event; none: it has none, or it is not known.</summary>
    public static TakenStack? Find(EventValue value, scoped ref EventView view)
    {
        if (StackTable.Own.Find(value.Unsigned(view.Record)) is not { } stack)
            return null;
        // Behind the event's struct is the running task's, which need not be whose event it is.
        return stack.Kind == StackKinds.User && view.Schema.HasOrigin && value.Offset >= view.Schema.OriginOffset && view.Schema.PidOffset is { } offset
            && BinaryPrimitives.ReadInt32LittleEndian(view.Record[offset..]) is var pid && pid != 0 && pid != stack.Pid
            ? null : stack;
    }
}
