// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>An enumeration: what stands behind the first double underscore of the enumerator, the number where there is none; all ones is
/// not known.</summary>
internal readonly struct EnumKind : IMemberKind, IValueKind
{
    public const string Keyword = "enum";

    // Enumerations are short lists; a value beyond is a flag word and stays a number.
    private const int EnumeratorMax = 1024;
    private const ulong Unknown = uint.MaxValue;

    public static string[] Typedefs => [Keyword];

    public static ValueFacts Facts { get; } = new("string", KeyKind.Word, null);

    public static void Expand(MemberShape member)
    {
        byte[]?[] names = Names(member.Enum);
        int width = names.Max(static text => text?.Length ?? 0);
        if (member.Enum.Any(static value => value.Value == (long)Unknown))
            member.Add<OptionalEnumKind>(width, names: names);
        else
            member.Add<EnumKind>(width, names: names);
    }

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
    {
        ulong number = value.Unsigned(view.Record);
        if (number >= (ulong)value.Names.Length || value.Names[number] is not { } name)
            return number == Unknown ? TStyle.Unknown(ref line) : line.Append(number);
        TStyle.Quote(ref line);
        line.Append(name);
        TStyle.Quote(ref line);
        return name.Length;
    }

    private static byte[]?[] Names(IReadOnlyList<(string Name, long Value)> enumerators)
    {
        var shown = enumerators.Where(static value => value.Value is >= 0 and < EnumeratorMax).ToList();
        byte[]?[] names = new byte[]?[shown.Count == 0 ? 0 : shown.Max(static value => value.Value) + 1];
        foreach (var (name, value) in shown)
            names[value] = Encoding.UTF8.GetBytes(name[(name.IndexOf("__", StringComparison.Ordinal) is var at and >= 0 ? at + 2 : 0)..]);
        return names;
    }
}
