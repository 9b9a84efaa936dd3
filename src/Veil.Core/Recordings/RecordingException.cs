// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Recordings;

/// <summary>What was named to be read is no recording, or not as one can be.</summary>
public sealed class RecordingException(string message) : VeilException(message)
{
    /// <summary>Was its recorder ended, or the disk full, before the file had a beginning?</summary>
    internal bool IsUnbegun { get; init; }

    /// <inheritdoc/>
    public override int ExitCode => Veil.Core.ExitCode.Usage;
}
