namespace Veil.Core.Events.Kinds;

/// <summary>Nanoseconds since boot. It has no column: people read the time of day, which an enrichment adds.</summary>
internal readonly struct TimestampKind : IUnsignedKind
{
    public static string[] Typedefs => ["veil_timestamp_t"];

    public static void Expand(MemberShape member) => member.Field<TimestampKind>(member.Name);
}
