// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Events.Kinds;

/// <summary>What members of event structs are, by their typedef. <see cref="MemberKinds"/> has the list.</summary>
internal interface IMemberKind
{
    /// <summary>The typedefs of <c>bpf/veil/types.bpf.h</c> that say so.</summary>
    static abstract string[] Typedefs { get; }

    /// <summary>Adds the fields that such a member gives, and the columns that it is shown in.</summary>
    static abstract void Expand(MemberShape member);
}
