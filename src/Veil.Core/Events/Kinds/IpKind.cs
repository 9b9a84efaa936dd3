// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>An Internet address.</summary>
internal readonly struct IpKind : IMemberKind, IValueKind
{
    public static string[] Typedefs => ["veil_ip_t"];

    public static ValueFacts Facts { get; } = new("string", KeyKind.Bytes, null);

    public static void Expand(MemberShape member) => member.Add<IpKind>(15);

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
    {
        int start = line.Length;
        TStyle.Quote(ref line);
        IpText.Append(ref line, value.Of(view.Record));
        TStyle.Quote(ref line);
        return line.Length - start;
    }
}
