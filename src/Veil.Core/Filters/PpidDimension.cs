// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Filters;

/// <summary>The process that made the running one, or that took it over.</summary>
public sealed class PpidDimension : FilterDimension
{
    private static readonly PidDimension s_pids = new();

    /// <inheritdoc/>
    public override string Name => "ppid";

    /// <inheritdoc/>
    public override string ValueName => s_pids.ValueName;

    /// <inheritdoc/>
    public override string Description => "children of these processes, and not theirs";

    /// <inheritdoc/>
    public override string AcceptedForm => s_pids.AcceptedForm;

    /// <inheritdoc/>
    public override string? ParseKeys(string text, List<FilterKey> keys) => s_pids.ParseKeys(text, keys);

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(IEnumerable<FilterKey> keys) => s_pids.Warnings(keys);
}
