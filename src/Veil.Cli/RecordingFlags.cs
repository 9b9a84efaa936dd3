// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using Veil.Core;
using Veil.Core.Modules;
using Veil.Core.Text;
using Veil.Modules;

namespace Veil.Cli;

/// <summary>What the commands that read recordings have in common on the command line.</summary>
internal static class RecordingFlags
{
    /// <summary><c>--from TIME</c>.</summary>
    public static Option<string> From { get; } = new("--from")
    {
        HelpName = "TIME",
        Description = "what was at this time or later: 2026-11-27T04:49:05Z, 04:49:05 (of the first day, local), or 10s after the beginning",
    };

    /// <summary>The end of the time that is shown.</summary>
    /// <param name="name">Its name: <c>--to</c> where that means nothing else.</param>
    public static Option<string> Until(string name) => new(name) { HelpName = "TIME", Description = "what was at this time or earlier" };

    /// <summary>The recordings.</summary>
    public static Argument<string[]> Files() => new("FILE")
    {
        Description = "what --record wrote, before any flag; several of one recording in any order; - is standard input",
        Arity = ArgumentArity.OneOrMore,
    };

    /// <summary>The flags of modules that a recording can answer: thresholds, how calls are shown, and what chooses kinds of event that it may have.</summary>
    public static IEnumerable<Option> OfModules(TraceFlags flags)
    {
        string[] shown = [Thresholds.Slower.Name, Thresholds.Failed.Name, CallFlags.StringSize.Name, CallFlags.Fds.Name];
        var choosing = ModuleCatalog.All.SelectMany(static module => module.EventsByFlag).SelectMany(static kind => kind.Flags).ToHashSet(StringComparer.Ordinal);
        return flags.ModuleFlags.Where(flag => shown.Contains(flag.Key.Name) || choosing.Contains(flag.Key.Name)).Select(static flag => flag.Value);
    }

    /// <summary>A flag that the command has not got was read as a file.</summary>
    /// <exception cref="UsageException">There is one.</exception>
    public static void RequireFiles(string[] paths, string command)
    {
        if (Array.Find(paths, static path => path.Length > 1 && path[0] == '-') is { } flag)
            throw new UsageException(
                $"{Escaping.ForMessage(flag)}: is for tracing, and {command} traces nothing; leave it out (a file of that name is " +
                $"./{Escaping.ForMessage(flag)})");
    }
}
