// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Waiting;

/// <summary>A signal asked for the end while a trace was prepared. Nothing stays attached.</summary>
/// <param name="signal">Its number.</param>
public sealed class StoppedException(int signal)
    : VeilException($"stopped by {NameOf(signal)} before the trace began; nothing stays attached")
{
    /// <summary>The signal's number.</summary>
    public int Signal => signal;

    /// <summary>What a shell makes of a process that a signal ended.</summary>
    public override int ExitCode => 128 + signal;

    /// <inheritdoc/>
    public override bool IsFinal => true;

    private static string NameOf(int signal) => signal switch
    {
        1 => "SIGHUP",
        2 => "SIGINT",
        15 => "SIGTERM",
        _ => $"signal {signal}",
    };
}
