// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Filters;

/// <summary>A descriptor that a call is about, or makes.</summary>
public sealed class FdDimension : FilterDimension
{
    /// <summary>The name of the flag.</summary>
    public const string FlagName = "fd";

    /// <inheritdoc/>
    public override string Name => FlagName;

    /// <inheritdoc/>
    public override string ValueName => "N";

    /// <inheritdoc/>
    public override string Description => "calls on these descriptors, or that make them; syscall then shows arguments";

    /// <inheritdoc/>
    public override string AcceptedForm => $"a descriptor from 0 to {int.MaxValue}";

    /// <inheritdoc/>
    public override string? ParseKeys(string text, List<FilterKey> keys)
    {
        if (ParseNumber(text, 0, int.MaxValue, out long fd) is { } wrong)
            return wrong;
        keys.Add(new((UInt128)fd, text));
        return null;
    }
}
