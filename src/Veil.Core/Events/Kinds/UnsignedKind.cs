namespace Veil.Core.Events.Kinds;

/// <summary>A plain number.</summary>
internal readonly struct UnsignedKind : IUnsignedKind
{
    public static string[] Typedefs => ["__u8", "__u16", "__u32", "__u64"];

    public static void Expand(MemberShape member) => member.Add<UnsignedKind>(member.Size == 8 ? 10 : 5);
}
