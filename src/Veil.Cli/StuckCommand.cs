// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using System.Text;
using Veil.Core;
using Veil.Core.Calls;
using Veil.Core.Filters;
using Veil.Core.Output;
using Veil.Core.Sinks;
using Veil.Core.Stuck;
using Veil.Modules;

namespace Veil.Cli;

/// <summary><c>veil stuck</c>: what tasks wait for now.</summary>
internal static class StuckCommand
{
    private static readonly TimeSpan s_slowerMin = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan s_slowerMax = TimeSpan.FromDays(3650);

    /// <summary>The command for the parser.</summary>
    public static Command Create()
    {
        var output =
            new Option<string>(
            "--output", "-o")
            {
                HelpName = "text|json",
                Description = "the form of the report; json is an object in a line for each task [text]"
            };
        var slower =
            new Option<string>("--slower") { HelpName = "TIME", Description = "only tasks that have been off the CPU for so long" };
        var filters =
            TaskLook.Dimensions.ToDictionary(
            static dimension => dimension, static dimension => new Option<string[]>("--" + dimension.Name, [.. Alias(dimension)])
            {
                HelpName = dimension.ValueName,
                Description = dimension.Description,
                AllowMultipleArgumentsPerToken = true,
            });
        var command =
            new Command(
            "stuck",
            "one look at what tasks wait for: their system call with its arguments, for how long, and where in the kernel; without a " +
            "filter those that wait uninterruptibly (state D), are frozen, or wait for a file system such as FUSE");
        foreach (var option in filters.Values)
            command.Add(option);
        command.Add(slower);
        command.Add(output);
        command.SetAction(parsed =>
        {
            var given = filters
                .Select(filter => (filter.Key, Values: parsed.GetValue(filter.Value) ?? []))
                .Where(static filter => filter.Values.Length > 0)
                .Select(static filter => FilterExpression.Parse(filter.Key, filter.Values))
                .ToList();
            ScopeHierarchy.Choose(given, shows: false);
            var least = TimeFlag.Read(slower.Name, parsed.GetValue(slower), s_slowerMin, s_slowerMax, "1ms to 3650d, such as 10s");
            return Run(
                new StuckOptions(given, given.Count == 0 && least is null, least ?? TimeSpan.Zero),
                OutputFormats.Parse(parsed.GetValue(output)));
        });
        return command;
    }

    private static IEnumerable<string> Alias(FilterDimension dimension) => dimension.Alias is { } letter ? ["-" + letter] : [];

    private static int Run(StuckOptions options, OutputFormat format)
    {
        StandardStreams.RequireOutput();
        foreach (string warning in options.Filters.SelectMany(static filter => filter.Dimension.Warnings(filter.Bits.Keys)))
            Messages.Write($"warning: {warning}");
        if (!TaskLook.ReadsArguments)
            Messages.Write("warning: in a PID namespace of its own /proc has other ids than the kernel: what arguments point to, and what "
                + "descriptors stand for, is not read");
        var report =
            new StuckReport(
            new CallOptions(format == OutputFormat.Json), TerminalScreen.Of(StandardStreams.Output)?.Size.Columns ?? int.MaxValue,
            options.OnlyUninterruptible);
        var text = new StringBuilder();
        TaskLook.Run(StuckLook.ReadObject(), options, report, text);
        report.AppendDeadlocks(text);
        StandardStreams.WriteOutput(text.ToString());
        if (text.Length == 0)
            Messages.Write(
                options.OnlyUninterruptible
                ? "no task waits uninterruptibly or for a file system now; -p PID or -n NAME shows tasks in any state, --slower 10s those that have not run " +
                "for so long" : "no such task now");
        return ExitCode.Success;
    }
}
