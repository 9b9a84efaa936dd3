// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core;

/// <summary>Bad input: what, where and what to do, in one line. Nothing was started.</summary>
public sealed class UsageException(string message) : VeilException(message)
{
    /// <inheritdoc/>
    public override int ExitCode => Veil.Core.ExitCode.Usage;
}
