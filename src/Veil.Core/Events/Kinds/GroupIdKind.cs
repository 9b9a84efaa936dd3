namespace Veil.Core.Events.Kinds;

/// <summary>A group's id.</summary>
internal readonly struct GroupIdKind : IUnsignedKind
{
    public static string[] Typedefs => ["veil_gid_t"];

    public static void Expand(MemberShape member) => member.Add<GroupIdKind>(UserIdKind.Width, new() { Rank = 10 }, PidKind.Label(member.Name));
}
