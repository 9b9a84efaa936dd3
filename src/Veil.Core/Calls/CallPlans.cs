// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Calls;

/// <summary>What the kernel's side reads by.</summary>
public sealed class CallPlans
{
    /// <summary>The rows of <c>syscall_plans</c> that are not empty.</summary>
    public List<(uint Key, CallPlanBytes Plan)> Rows { get; } = [];

    /// <summary>Of a call, by the value of the argument that says what it does: its row.</summary>
    public List<(uint Key, uint Value, uint Row)> Variants { get; } = [];
}
