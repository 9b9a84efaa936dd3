// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Recordings;

/// <summary>What was named to be read is no recording, or not as one can be.</summary>
public sealed class RecordingException(string message) : VeilException(message)
{
    /// <inheritdoc/>
    public override int ExitCode => Veil.Core.ExitCode.Usage;
}
