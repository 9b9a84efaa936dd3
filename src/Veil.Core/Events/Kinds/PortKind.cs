namespace Veil.Core.Events.Kinds;

/// <summary>A port.</summary>
internal readonly struct PortKind : IUnsignedKind
{
    public const int Width = 5;

    public static string[] Typedefs => ["veil_port_t"];

    public static void Expand(MemberShape member) => member.Add<PortKind>(Width);
}
