// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Calls;
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>One argument of a call, by the name that the kernel's prototypes give it; not known where the call has none of that
/// name.</summary>
internal readonly struct ArgumentKind : IValueKind
{
    /// <summary>What stands before the argument's name.</summary>
    public const string Prefix = "args.";

    public static ValueFacts Facts { get; } = new("any", KeyKind.Argument, null);

    /// <summary>The value of <c>args.NAME</c>; nothing where the name is none of these, or the events are no calls with
    /// arguments.</summary>
    public static EventValue? Of(IReadOnlyList<EventField> fields, string name) =>
        IsOne(name)
            && fields.FirstOrDefault(static field => field.Value.Is<CallKind>()).Value is { } call
            ? new EventValue<ArgumentKind>(call.Offset, call.Size, [Encoding.UTF8.GetBytes(NameIn(name))])
            : null;

    /// <summary>Is it the name of such a field?</summary>
    public static bool IsOne(string field) => field.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>The argument's name in <c>args.NAME</c>.</summary>
    public static string NameIn(string field) => field[Prefix.Length..];

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
    {
        var call = new CallView(view.Record, value.Offset);
        if (!TryFind(value, call, out var argument, out int position))
            return TStyle.Unknown(ref line);
        int start = line.Length;
        bool isJson = typeof(TStyle) == typeof(JsonStyle);
        var writer = new CallWriter(line, isJson ? CallOptions.CurrentJson : CallOptions.Current);
        argument!.Write(ref writer, call, position);
        line = writer.Line;
        return writer.WasInexact ? JsonStyle.NotExact : line.Length - start;
    }

    public static int BytesMax(EventValue value) => CallKind.LineBytesMax;

    public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view)
    {
        var call = new CallView(view.Record, value.Offset);
        return TryFind(value, call, out _, out int position) ? call.FindAny(position).Bytes : default;
    }

    private static bool TryFind(EventValue value, scoped in CallView call, out Argument? argument, out int position)
    {
        var (spec, names) = CallTable.Of(call.Arch, call.Number);
        for (position = 0; position < spec.Arguments.Count; position++)
        {
            argument = spec.Arguments[position];
            if (names[position].AsSpan().SequenceEqual(value.Names[0]))
                return !argument.IsOmitted(call, position);
        }

        argument = null;
        return false;
    }
}
