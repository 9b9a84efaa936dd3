// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Stacks;

/// <summary>Stacks of a task: <c>enum veil_stack_kind</c>.</summary>
[Flags]
public enum StackKinds
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>In user space, field <c>ustack</c>.</summary>
    User = 1,

    /// <summary>The kernel's, field <c>kstack</c>.</summary>
    Kernel = 2,
}
