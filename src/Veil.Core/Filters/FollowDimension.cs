// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Filters;

/// <summary>
/// Processes that a running trace takes in with all that they make, whatever the other filters allow: <c>add follow PID</c>. There is no
/// flag of
/// that name that takes a value, so no module lists it.
/// </summary>
public sealed class FollowDimension : FilterDimension
{
    private static readonly PidDimension s_pids = new();

    private FollowDimension()
    {
    }

    /// <summary>The only one.</summary>
    public static FollowDimension Instance { get; } = new();

    /// <inheritdoc/>
    public override string Name => "follow";

    /// <inheritdoc/>
    public override string ValueName => s_pids.ValueName;

    /// <inheritdoc/>
    public override string Description => "these processes and their descendants";

    /// <inheritdoc/>
    public override string AcceptedForm => s_pids.AcceptedForm;

    /// <inheritdoc/>
    public override string? ParseKeys(string text, List<FilterKey> keys) => s_pids.ParseKeys(text, keys);
}
