// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Events.Kinds;

/// <summary>The kind of an event, which the reader alone needs.</summary>
internal readonly struct EventKindKind : IMemberKind
{
    public static string[] Typedefs => ["veil_kind_t"];

    public static void Expand(MemberShape member)
    {
    }
}
