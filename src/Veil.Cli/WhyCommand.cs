// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using System.Globalization;
using Veil.Core;
using Veil.Core.Output;
using Veil.Core.Sinks;
using Veil.Core.Text;
using Veil.Core.Waiting;
using Veil.Core.Why;
using Veil.Modules;

namespace Veil.Cli;

/// <summary><c>veil why</c>: where the time of a process goes.</summary>
internal static class WhyCommand
{
    private static readonly TimeSpan s_durationLeast = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_durationMost = TimeSpan.FromHours(1);

    /// <summary>The command for the parser.</summary>
    public static Command Create()
    {
        var process = new Argument<string>("PID") { Description = "the process, with all its threads" };
        var duration = new Option<string>("--duration") { HelpName = "TIME", Description = "for how long it is measured; CTRL-C ends it early [5s]" };
        var output = new Option<string>("--output", "-o")
        {
            HelpName = "text|json",
            Description = "the form of the report; json is one object [text]",
        };
        var command = new Command(
            "why",
            "where the time of a process goes for some seconds: on a CPU and in which functions, waiting for one and who had it, in which calls, on " +
            "what, and what those do that it waits for; the shares add up to 100%");
        command.Add(process);
        command.Add(duration);
        command.Add(output);
        command.SetAction(parsed => Run(
            Pid(parsed.GetValue(process)!),
            TimeFlag.Read(duration.Name, parsed.GetValue(duration), s_durationLeast, s_durationMost, "100ms to 1h, such as 10s")
                ?? TimeSpan.FromSeconds(5),
            OutputFormats.Parse(parsed.GetValue(output))));
        return command;
    }

    private static uint Pid(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && pid > 0 ? (uint)pid
            : throw new UsageException($"why: '{Escaping.ForMessage(text)}' is not a process id, such as 812");

    private static int Run(uint pid, TimeSpan duration, OutputFormat format)
    {
        StandardStreams.RequireOutput();
        using var stop = new StopSignal(static () => EarlySignals.First);
        EarlySignals.Take();
        stop.ListenToSignals();
        stop.ThrowIfEarly();
        var found = WhyTrace.Run(WhyTime.ReadObject(), pid, duration, stop,
            () => Messages.Write(
                $"tracing process {pid} for {duration.TotalSeconds.ToString(CultureInfo.InvariantCulture)}s{TraceCommand.HowToStop(stop, asks: false)}"));
        StandardStreams.WriteOutput(format == OutputFormat.Json ? WhyReport.Json(found) : WhyReport.Text(found));
        return ExitCode.Success;
    }
}
