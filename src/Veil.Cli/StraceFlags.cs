// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core;
using Veil.Core.Counting;
using Veil.Core.Modules;
using Veil.Core.Sinks;

namespace Veil.Cli;

/// <summary>What <c>--output strace</c> asks for, and what it has no place for.</summary>
internal static class StraceFlags
{
    private const string Duration = "duration_ns";

    /// <summary>The flags of modules with those that it stands for.</summary>
    /// <exception cref="UsageException">Something else was asked for beside it.</exception>
    public static ModuleArguments Imply(
        ModuleArguments arguments, IReadOnlyList<TraceModule> modules, IReadOnlyList<string> fields, Enrichments enrichments,
        CountOptions? counting)
    {
        if (modules.FirstOrDefault(static module => module.EventsOfStrace is null) is { } other)
            throw new UsageException(
                $"--output strace: is for system calls, and --module {other.Name} shows others; leave one of them out");
        if (counting is not null)
            throw new UsageException("--output strace: is for events, and counting shows none; leave one of them out");
        if (fields.Any(static field => field != Duration))
            throw new UsageException($"--fields: a line of strace has room for {Duration} alone (as strace -T)");
        if (enrichments is not (Enrichments.None or Enrichments.Time))
            throw new UsageException("--enrich: a line of strace has room for time alone (as strace -ttt)");
        return arguments with { Switches = arguments.Switches.Append(CallFlags.Args.Name).ToHashSet() };
    }
}
