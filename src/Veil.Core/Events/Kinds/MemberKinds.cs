// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;

namespace Veil.Core.Events.Kinds;

/// <summary>All kinds that members can be, by their typedef.</summary>
internal static class MemberKinds
{
    private static readonly Dictionary<string, Action<MemberShape>> s_byTypedef = [];

    static MemberKinds()
    {
        Add<BytesKind>();
        Add<CallKind>();
        Add<CgroupKind>();
        Add<ChosenPortKind>();
        Add<CommKind>();
        Add<CpuKind>();
        Add<DurationKind>();
        Add<EnumKind>();
        Add<ErrnoKind>();
        Add<EventKindKind>();
        Add<GroupIdKind>();
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
        Add<RequestedNameKind>();
        Add<ReturnKind>();
        Add<SignedKind>();
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
    public static bool TryExpand(MemberShape shape, Btf btf, BtfMember member, int offset)
    {
        shape.Name = member.Name;
        shape.Offset = offset;
        shape.Size = member.SizeBytes;
        shape.Enum =
            member is { TypedefName: null, Kind: BtfKind.Enum, ElementCount: 1, EnumName: { Length: > 0 } tag } ? btf.FindEnum(tag) : null;
        if ((member.TypedefName ?? (shape.Enum is null ? null : EnumKind.Keyword)) is not { } typedef || Find(typedef) is not { } expand)
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
