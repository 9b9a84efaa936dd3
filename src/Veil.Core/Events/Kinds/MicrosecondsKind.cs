namespace Veil.Core.Events.Kinds;

/// <summary>Microseconds that the kernel measured.</summary>
internal readonly struct MicrosecondsKind : IUnsignedKind
{
    public static string[] Typedefs => ["veil_microseconds_t"];

    static Quantity? IValueKind.Quantity => Quantity.Microseconds;

    public static void Expand(MemberShape member) => member.Add<MicrosecondsKind>(5);
}
