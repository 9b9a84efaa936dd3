// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Options;

/// <summary>How a trace is recorded.</summary>
/// <param name="Path">The file.</param>
/// <param name="Force">It may replace one.</param>
/// <param name="SizeBytes">Bytes after which another file is begun; none: one file has all.</param>
/// <param name="Keep">Files that are kept; none: all of them.</param>
public sealed record RecordOptions(string Path, bool Force, long? SizeBytes, int? Keep)
{
    /// <summary>Who records.</summary>
    public string Veil { get; init; } = "veil";

    /// <summary>Keep it in memory; none: write it.</summary>
    public FlightOptions? Flight { get; init; }
}
