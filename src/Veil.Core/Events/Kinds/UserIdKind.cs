namespace Veil.Core.Events.Kinds;

/// <summary>A user's id.</summary>
internal readonly struct UserIdKind : IUnsignedKind
{
    /// <summary>Fits most; ids go up to ten digits in user namespaces, and then the line is wider.</summary>
    public const int Width = 5;

    public static string[] Typedefs => ["veil_uid_t"];

    public static void Expand(MemberShape member) => member.Add<UserIdKind>(Width, new() { Rank = 30 }, PidKind.Label(member.Name));
}
