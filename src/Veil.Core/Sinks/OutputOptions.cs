// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Output;

namespace Veil.Core.Sinks;

/// <summary>What the output shows, and how.</summary>
/// <param name="Format">The form of an event.</param>
/// <param name="Fields">The fields of <c>--fields</c>, in order; empty for all.</param>
/// <param name="Enrichments">What is added to the kernel's own data.</param>
/// <param name="Colour">Colour the text: only ever on a terminal.</param>
public readonly record struct OutputOptions(OutputFormat Format, IReadOnlyList<string> Fields, Enrichments Enrichments, bool Colour)
{
    /// <summary>The terminal that text is laid out for; none: the full columns, which are the same everywhere.</summary>
    public IScreen? Screen { get; init; }
}

/// <summary>The output's form.</summary>
public enum OutputFormat
{
    /// <summary>A line of columns an event; <c>key=value</c> with <c>--fields</c>.</summary>
    Text,

    /// <summary>An object a line.</summary>
    Json,

    /// <summary>As <c>strace -f -o FILE</c> writes it: system calls with their arguments, signals and exits.</summary>
    Strace,

    /// <summary>Of the module <c>process</c> a tree of processes, at the end.</summary>
    Tree,

    /// <summary>Of counts by a stack a line a key: frames from the outermost, and the number.</summary>
    Folded,

    /// <summary>Nothing: events are recorded alone.</summary>
    None,
}

/// <summary>What is added to an event in userspace.</summary>
[Flags]
public enum Enrichments
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Wall-clock time, field <c>time</c>.</summary>
    Time = 1,

    /// <summary>The name of <c>uid</c>, field <c>username</c>.</summary>
    User = 2,

    /// <summary>The current name of the process, field <c>proc_name</c>.</summary>
    Proc = 4,

    /// <summary>Which component of a path refused a call, field <c>why</c>. Each is looked for anew.</summary>
    Why = 8,

    /// <summary>The parent, as it is at the event: fields <c>ppid</c>, <c>parent_comm</c>.</summary>
    Parent = 16,

    /// <summary>The cgroup, field <c>cgroup</c>.</summary>
    Cgroup = 32,

    /// <summary>The container of the cgroup: fields <c>container</c>, <c>pod</c>, <c>pod_namespace</c>, <c>image</c>.</summary>
    Container = 64,

    /// <summary>The file that the process runs, field <c>exe</c>.</summary>
    Exe = 128,

    /// <summary>All that cost next to nothing.</summary>
    All = Time | User | Proc | Parent | Cgroup | Container | Exe,
}
