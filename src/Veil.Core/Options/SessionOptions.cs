// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Containers;
using Veil.Core.Counting;
using Veil.Core.Filters;
using Veil.Core.Modules;
using Veil.Core.Output;
using Veil.Core.Sinks;
using Veil.Core.Stacks;

namespace Veil.Core.Options;

/// <summary>Everything that a trace is told before it starts. Checked already: nothing here can be wrong in itself.</summary>
public sealed record SessionOptions
{
    /// <summary>The default size of the ring.</summary>
    public const int DefaultRingBytes = 16 * 1024 * 1024;

    /// <summary>The modules, each once.</summary>
    public required IReadOnlyList<TraceModule> Modules { get; init; }

    /// <summary>All modules that there are, for hints.</summary>
    public IReadOnlyList<TraceModule> Available { get; init; } = [];

    /// <summary>The filters; each goes to every module that has its dimension.</summary>
    public IReadOnlyList<FilterExpression> Filters { get; init; } = [];

    /// <summary>The filters that a module is to apply, as far as it has their dimensions.</summary>
    public IEnumerable<FilterExpression> FiltersOf(TraceModule module) =>
        Filters.Where(filter => filter.Module is null || filter.Module == module.Name);

    /// <summary>The flags of modules; each goes to every module that has it.</summary>
    public ModuleArguments Arguments { get; init; } = ModuleArguments.None;

    /// <summary>By module its own flags instead, as a configuration gives them.</summary>
    public IReadOnlyDictionary<string, ModuleArguments> OwnArguments { get; init; } = new Dictionary<string, ModuleArguments>();

    /// <summary>The flags of a module.</summary>
    public ModuleArguments FlagsOf(TraceModule module) => OwnArguments.GetValueOrDefault(module.Name, Arguments);

    /// <summary>The flags of a module, with its filters and the fields that are wanted of it.</summary>
    public ModuleArguments ArgumentsOf(TraceModule module) => FlagsOf(module) with
    {
        Filters = FiltersOf(module).ToDictionary(static filter => filter.Dimension.Name),
        Stacks = StacksAsked,
        IsStrace = Output.Format == OutputFormat.Strace,
        Fields = (Counting ?? (Record is null ? CountingSent : null)) is { } counting ? counting.FieldsOf(module).ToHashSet()
            : Record is not null ? null
            : Output.Fields is { Count: > 0 } fields ? fields.ToHashSet()
            : null,
        Quantities = new[] { Counting?.Histogram, Counting?.Sum }.OfType<string>().ToHashSet(),
    };

    /// <summary>The fields of a task's parent and cgroup that are shown or counted by; null: records need nothing of it.</summary>
    public IReadOnlySet<string>? OriginFields
    {
        get
        {
            var shown = OriginField.All.Where(
                field => Output.Enrichments.HasFlag(field.By) || Output.Fields.Contains(field.Name)
                || Modules.Any(module => (Counting ?? CountingSent)?.KeysOf(module).Contains(field.Name) == true)).Select(static field => field.Name).ToHashSet();
            shown.UnionWith(StackFields.Names(Stacks));
            return shown.Count > 0 || NamesContainers ? shown : null;
        }
    }

    /// <summary>The stacks that are asked for by name.</summary>
    public StackKinds StacksAsked { get; init; }

    /// <summary>Frames of user space are shown with the lines of their sources.</summary>
    public bool ShowsLines { get; init; }

    /// <summary>.NET processes are asked to write the names of what they compile, where a stack leads there.</summary>
    public bool AsksJit { get; init; }

    /// <summary>The stacks that are shown or counted by: those that were asked for, and those of fields.</summary>
    public StackKinds Stacks => Output.Fields.Concat(Modules.SelectMany(module => (Counting ?? CountingSent)?.KeysOf(module) ?? []))
        .Aggregate(Counting is null ? StacksAsked : StackKinds.None, static (kinds, field) => kinds | StackFields.Of(field));

    /// <summary>How callers in user space are found.</summary>
    public StackUnwind Unwind { get; init; }

    /// <summary>Bytes that are copied of a stack in user space, where it is unwound from a copy.</summary>
    public int StackCopyBytes { get; init; } = CopiedStacks.UsualBytes;

    /// <summary>The stacks that programs take, in whichever place of an event: their frames are to be named.</summary>
    public StackKinds StacksTaken =>
        Modules.Aggregate(Stacks, (kinds, module) => kinds | (module.OwnStacks(ArgumentsOf(module)) ?? StackKinds.None));

    /// <summary>Files of runtimes are to be read while it runs.</summary>
    public bool ReadsRuntimes =>
        Filters.Any(static filter => filter.Dimension is ScopeDimension { IsByName: true })
        || ((NamesContainers || TakesCommands) && ContainerNames.Own.HasRuntimes);

    /// <summary>Containers are shown or filtered by.</summary>
    public bool NamesContainers => Output.Enrichments.HasFlag(Enrichments.Container)
        || Filters.Any(static filter => filter.Dimension is ScopeDimension { IsByName: true });

    /// <summary>The object that tells what processes execute; none: nobody asks.</summary>
    public Func<byte[]>? ExecutableWatch { get; init; }

    /// <summary>Descendants are traced too: of what the filters choose, and of the command.</summary>
    public bool Follow { get; init; }

    /// <summary>The process id of the command that is traced beside what the filters choose, if they choose anything; 0: none.</summary>
    public int Command { get; init; }

    /// <summary>The rung that is forced, or none.</summary>
    public string? Hook { get; init; }

    /// <summary>What is shown.</summary>
    public required OutputOptions Output { get; init; }

    /// <summary>Count events in the kernel, and show none; or nothing.</summary>
    public CountOptions? Counting { get; init; }

    /// <summary>Takes what is counted instead of the outputs; or none.</summary>
    internal ICountSink? CountSink { get; init; }

    /// <summary>The privileges are not given up: another trace is to be started.</summary>
    internal bool KeepsPrivileges { get; init; }

    /// <summary>Count events that were sent, and show none; or nothing.</summary>
    public CountOptions? CountingSent { get; init; }

    /// <summary>Bytes of the ring: a power of two.</summary>
    public int RingBytes { get; init; } = DefaultRingBytes;

    /// <summary>How many rings share those bytes; none: what suits the CPUs.</summary>
    public int? Rings { get; init; }

    /// <summary>The trace ends by itself after this time; none: it does not.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>The trace ends by itself after so many events; none: it does not.</summary>
    public ulong? EventsMax { get; init; }

    /// <summary>Record the events; or nothing.</summary>
    public RecordOptions? Record { get; init; }

    /// <summary>Are events recorded alone?</summary>
    public bool ShowsNothing => Output.Format == OutputFormat.None;

    /// <summary>The file that events and counts go to; none: a standard stream.</summary>
    public string? WriteTo { get; init; }

    /// <summary>That stream: standard output belongs to a command that is traced, and events go to standard error.</summary>
    public int Stream { get; init; } = StandardStreams.Output;

    /// <summary>Trace the tracer too.</summary>
    public bool IncludeSelf { get; init; }

    /// <summary>End with exit code 3 if an event was lost.</summary>
    public bool FailOnLoss { get; init; }

    /// <summary>Count what each filter lets through and drops: where somebody can ask for it, as it costs a few nanoseconds an
    /// event.</summary>
    public bool CountFilters { get; init; }

    /// <summary>Filters may be changed while it runs, by a socket or a prompt.</summary>
    public bool TakesCommands { get; init; }

    /// <summary>Measure what the trace costs.</summary>
    public bool MeasureCost { get; init; }

    /// <summary>What the trace may cost itself, in CPUs; none: whatever it does.</summary>
    public double? Budget { get; init; }

    /// <summary>May events be left out to keep within the budget? What is counted is exact.</summary>
    public bool Samples => Budget is not null && Counting is null && CountingSent is null;

    /// <summary>Say nothing but errors and losses.</summary>
    public bool Quiet { get; init; }

    /// <summary>Say which hooks were tried, and why one was not taken.</summary>
    public bool Verbose { get; init; }
}
