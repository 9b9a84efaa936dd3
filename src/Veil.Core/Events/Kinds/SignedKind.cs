namespace Veil.Core.Events.Kinds;

/// <summary>A plain number that may be negative.</summary>
internal readonly struct SignedKind : ISignedKind
{
    public static string[] Typedefs => ["__s32", "__s64"];

    public static void Expand(MemberShape member) => member.Add<SignedKind>(member.Size == 8 ? 10 : 5);
}
