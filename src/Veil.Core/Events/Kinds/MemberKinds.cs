// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Events.Kinds;

/// <summary>All kinds that members can be, by their typedef.</summary>
internal static class MemberKinds
{
    private static readonly Dictionary<string, Action<MemberShape>> s_byTypedef = [];

    static MemberKinds()
    {
        Add<AddressKind>();
        Add<ArgvKind>();
        Add<BytesKind>();
        Add<CallKind>();
        Add<CgroupKind>();
        Add<ChosenPortKind>();
        Add<CommKind>();
        Add<CpuKind>();
        Add<DnsNameKind>();
        Add<DurationKind>();
        Add<EnumKind>();
        Add<ErrnoKind>();
        Add<EventKindKind>();
        Add<GroupIdKind>();
        Add<ExitCodeKind>();
        Add<FactKind>();
        Add<FileFlagsKind>();
        Add<FileModeKind>();
        Add<HexKind>();
        Add<IdKind>();
        Add<IpKind>();
        Add<MicrosecondsKind>();
        Add<OffsetKind>();
        Add<PathKind>();
        Add<PidKind>();
        Add<PortKind>();
        Add<PriorityKind>();
        Add<ReasonKind>();
        Add<RequestedNameKind>();
        Add<ReturnKind>();
        Add<SignalKind>();
        Add<SomeSignalKind>();
        Add<SignedKind>();
        Add<SomeBytesKind>();
        Add<SomeCommKind>();
        Add<SomeDurationKind>();
        Add<SomeNumberKind>();
        Add<SomePidKind>();
        Add<SomeReturnKind>();
        Add<StackKind>();
        Add<SyscallKind>();
        Add<TidKind>();
        Add<TimestampKind>();
        Add<UnsignedKind>();
        Add<UserIdKind>();
    }

    /// <summary>The typedefs.</summary>
    public static IEnumerable<string> Typedefs => s_byTypedef.Keys;

    /// <summary>What a typedef adds to an event; null where it says nothing.</summary>
    public static Action<MemberShape>? Find(string typedef) => s_byTypedef.GetValueOrDefault(typedef);

    /// <summary>Adds what a member shows.</summary>
    /// <returns>False where its type says nothing.</returns>
    public static bool TryExpand(MemberShape shape, EventMember member, int offset)
    {
        shape.Name = member.Name;
        shape.Offset = offset + member.Offset;
        shape.Size = member.Size;
        shape.Enum = member.Values;
        if (Find(member.Type) is not { } expand)
            return false;
        expand(shape);
        return true;
    }

    private static void Add<TKind>()
        where TKind : struct, IMemberKind
    {
        foreach (string typedef in TKind.Typedefs)
            s_byTypedef.Add(typedef, TKind.Expand);
    }
}
