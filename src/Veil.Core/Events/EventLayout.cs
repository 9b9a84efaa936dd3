// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Events.Kinds;

namespace Veil.Core.Events;

/// <summary>All that has to be known of a struct to read it out of records: an object has it in its BTF, and a recording in its
/// description.</summary>
/// <param name="Name">The struct.</param>
/// <param name="SizeBytes">Its bytes.</param>
/// <param name="Members">Its members, in their order.</param>
public sealed record EventLayout(string Name, int SizeBytes, IReadOnlyList<EventMember> Members)
{
    /// <summary>Reads it out of BTF.</summary>
    public static EventLayout FromStruct(Btf btf, BtfStruct type)
    {
        var members = new List<EventMember>();
        foreach (var member in type.Members)
        {
            if (member is { TypedefName: null, Kind: BtfKind.Struct })
            {
                foreach (var inner in btf.ReadStruct(member.TypeId).Members)
                    members.Add(Of(btf, inner, member.OffsetBytes + inner.OffsetBytes));
            }
            else
            {
                members.Add(Of(btf, member, member.OffsetBytes));
            }
        }

        return new EventLayout(type.Name, type.SizeBytes, members);
    }

    /// <summary>The first member of that name, or none.</summary>
    public EventMember? Find(string name) => Members.FirstOrDefault(member => member.Name == name);

    private static EventMember Of(Btf btf, BtfMember member, int offset)
    {
        var values =
            member is { TypedefName: null, Kind: BtfKind.Enum, ElementCount: 1, EnumName: { Length: > 0 } tag } ? btf.FindEnum(tag)?.Values : null;
        return new(member.Name, offset, member.SizeBytes, member.TypedefName ?? (values is null ? "" : EnumKind.Keyword), values ?? []);
    }
}
