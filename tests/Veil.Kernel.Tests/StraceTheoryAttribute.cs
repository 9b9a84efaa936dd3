// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Kernel.Tests;

/// <summary>A theory against strace, the newest that Debian has. Skipped, with the reason, where <c>eng/peers</c> has not made
/// it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class StraceTheoryAttribute : TheoryAttribute
{
    public StraceTheoryAttribute() => Skip = StraceFile.Exists ? null : "there is no strace to compare with: eng/peers makes it";
}

/// <summary>A fact of that kind.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class StraceFactAttribute : FactAttribute
{
    public StraceFactAttribute() => Skip = StraceFile.Exists ? null : "there is no strace to compare with: eng/peers makes it";
}
