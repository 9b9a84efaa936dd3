// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using Veil.Core.Options;

namespace Veil.Cli;

/// <summary>A trace as it was asked for, on the command line or in a file.</summary>
/// <param name="Options">What the session is told.</param>
/// <param name="Yes">Start without asking.</param>
/// <param name="Control">The path of the control socket, or none.</param>
/// <param name="ControlGroup">Who else may use it, or none.</param>
/// <param name="NoFollow">Trace a command's own process alone.</param>
/// <param name="User">Who a command runs as; none: who we are.</param>
internal sealed record TraceRequest(SessionOptions Options, bool Yes, string? Control, string? ControlGroup, bool NoFollow, string? User)
{
    /// <summary>What leaves the machine.</summary>
    public ExportFlags Export { get; init; } = ExportFlags.None;

    /// <summary>Checks a whole command line.</summary>
    public static TraceRequest Read(ParseResult parsed, TraceFlags flags) =>
        new(TraceCommand.Read(parsed, flags), parsed.GetValue(flags.Yes), parsed.GetValue(flags.Control),
            parsed.GetValue(flags.ControlGroup), parsed.GetValue(flags.NoFollow), parsed.GetValue(flags.User))
        {
            Export = ExportFlags.Read(parsed, flags),
        };
}
