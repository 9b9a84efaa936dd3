namespace Veil.Core.Events.Kinds;

/// <summary>The number of a CPU.</summary>
internal readonly struct CpuKind : IUnsignedKind
{
    public static string[] Typedefs => ["veil_cpu_t"];

    public static void Expand(MemberShape member) => member.Add<CpuKind>(3);
}
