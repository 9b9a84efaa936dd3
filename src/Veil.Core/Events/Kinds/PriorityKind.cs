namespace Veil.Core.Events.Kinds;

/// <summary>A scheduling priority, as the kernel counts: lower is more urgent.</summary>
internal readonly struct PriorityKind : ISignedKind
{
    public static string[] Typedefs => ["veil_prio_t"];

    public static void Expand(MemberShape member) => member.Add<PriorityKind>(3);
}
