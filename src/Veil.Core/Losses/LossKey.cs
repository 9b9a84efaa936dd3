// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Losses;

/// <summary>Where events were lost, and why.</summary>
/// <param name="Module">The module whose events they were, or <c>output</c>.</param>
/// <param name="Cause">The cause: an enumerator of <c>enum veil_loss</c> without its prefix, or one of <see cref="LossCause"/>.</param>
public readonly record struct LossKey(string Module, string Cause)
{
    /// <summary>As people read it: <c>module: cause</c>.</summary>
    public override string ToString() => $"{Module}: {Cause}";
}
