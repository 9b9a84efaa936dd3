// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf;

/// <summary>A structure or union.</summary>
/// <param name="TypeId">Its number in the BTF blob.</param>
/// <param name="Name">Its tag; empty if it is anonymous.</param>
/// <param name="SizeBytes">Its size, in bytes.</param>
/// <param name="IsUnion">Whether its members share their place.</param>
/// <param name="Members">In the order of the source.</param>
public sealed record BtfStruct(int TypeId, string Name, int SizeBytes, bool IsUnion, IReadOnlyList<BtfMember> Members)
{
    /// <summary>Finds a member by name, without looking into anonymous structures; null if there is none.</summary>
    public BtfMember? FindMember(string name)
    {
        foreach (var member in Members)
        {
            if (string.Equals(member.Name, name, StringComparison.Ordinal))
                return member;
        }

        return null;
    }
}
