// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core;

/// <summary>What was asked for needs a newer kernel, by whatever hook.</summary>
public sealed class KernelTooOldException : VeilException
{
    /// <summary>Says it.</summary>
    /// <param name="what">What needs it.</param>
    /// <param name="since">The first kernel that will do.</param>
    /// <param name="running">The kernel that runs.</param>
    /// <param name="hint">What to do instead.</param>
    public KernelTooOldException(string what, Version since, Version running, string hint)
        : base($"{what} needs Linux {since}, and this is {running}: {hint}")
    {
    }

    /// <inheritdoc/>
    public override bool IsFinal => true;
}
