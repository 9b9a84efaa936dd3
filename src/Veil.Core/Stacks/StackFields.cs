// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Stacks;

/// <summary>The fields that stacks are shown and counted by.</summary>
public static class StackFields
{
    /// <summary>The stack in user space.</summary>
    public const string User = "ustack";

    /// <summary>The kernel's.</summary>
    public const string Kernel = "kstack";

    /// <summary>As a key of counts: both.</summary>
    public const string Both = "stack";

    /// <summary>The stacks that a field shows.</summary>
    public static StackKinds Of(string field) => field switch
    {
        User => StackKinds.User,
        Kernel => StackKinds.Kernel,
        _ => StackKinds.None,
    };

    /// <summary>The fields of stacks.</summary>
    public static IEnumerable<string> Names(StackKinds kinds)
    {
        if (kinds.HasFlag(StackKinds.User))
            yield return User;
        if (kinds.HasFlag(StackKinds.Kernel))
            yield return Kernel;
    }
}
