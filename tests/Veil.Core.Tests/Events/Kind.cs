// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;
using Veil.Core.Events.Kinds;

namespace Veil.Core.Tests.Events;

/// <summary>Kinds of value without an object that has them.</summary>
internal static class Kind
{
    /// <summary>What a member named <c>member</c> gives.</summary>
    public static MemberShape Of(string typedef)
    {
        using var bpf = SyscallObject.Open();
        var member = new MemberShape(new Dictionary<string, ColumnHint>())
        {
            Name = "member",
            Size = typedef.EndsWith("64", StringComparison.Ordinal) ? 8 : 4,
            Enum = bpf.Btf.FindEnum("veil_arch")!.Values,
        };
        MemberKinds.Find(typedef).ShouldNotBeNull(typedef)(member);
        return member;
    }
}
