// SPDX-License-Identifier: GPL-3.0-only
using System.Collections.Frozen;
using Veil.Bpf;
using Veil.Core.Cgroups;
using Veil.Core.Containers;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Stacks;

namespace Veil.Core.Modules;

/// <summary>
/// What the core needs to know of a module. The rest (what an event holds, what is filtered) the core reads from the module's object.
/// </summary>
public abstract class TraceModule : IEventOwner
{
    private static readonly FilterDimension[] s_commonFilters =
    [
        new PidDimension(), new TidDimension(), new PpidDimension(), new UidDimension(), new NameDimension(), new CgroupDimension(CgroupTree.Own),
        new ContainerDimension(ContainerNames.Own), new PodDimension(ContainerNames.Own),
    ];

    /// <summary>The name that users give to <c>--module</c>.</summary>
    public abstract string Name { get; }

    /// <summary>What it traces, in a few words.</summary>
    public abstract string Summary { get; }

    /// <summary>The field that <c>--count</c> counts by.</summary>
    public abstract string CountKey { get; }

    /// <summary>The field that is added up where events are only counted, if they have it; or none.</summary>
    public virtual string? CountSum => null;

    /// <summary>Command lines for the help, the most useful first; at least one.</summary>
    public abstract IReadOnlyList<Example> Examples { get; }

    /// <summary>The filters beside the common ones.</summary>
    public virtual IReadOnlyList<FilterDimension> OwnFilters => [];

    /// <summary>The flags that are no filters in the kernel.</summary>
    public virtual IReadOnlyList<ModuleFlag> Flags => [];

    /// <summary>The ways to attach, best first.</summary>
    public abstract IReadOnlyList<HookRung> Rungs { get; }

    /// <summary>Second names of fields: the same value under both.</summary>
    public virtual IReadOnlyList<(string Alias, string Field)> FieldAliases => [];

    /// <summary>Fields that have one value for the whole trace.</summary>
    public virtual IReadOnlyList<(string Name, string Value)> Constants => [];

    /// <summary>What a terminal cannot know of a column from its kind of value, by the column's name.</summary>
    public virtual IReadOnlyDictionary<string, ColumnHint> Columns => FrozenDictionary<string, ColumnHint>.Empty;

    /// <summary>Every filter: those that all modules have, then its own.</summary>
    public IEnumerable<FilterDimension> Filters => s_commonFilters.Concat(OwnFilters);

    /// <summary>Is it a filter of the task, as all modules have them?</summary>
    public static bool IsOfTask(FilterDimension filter) => s_commonFilters.Any(common => common.Name == filter.Name);

    /// <summary>Does it show anything of a process that only computes? Then it is named where a trace of such a process is
    /// silent.</summary>
    public virtual bool ShowsComputing => false;

    /// <summary>Why a trace may have had nothing to show yet, where the module itself knows; nothing otherwise.</summary>
    /// <param name="processes">The processes that are traced, each with its sockets (inodes) when the trace began; none: all.</param>
    /// <param name="filters">The filters as they are now.</param>
    public virtual string? WhySilent(IReadOnlyList<(int Pid, HashSet<long> Sockets)> processes, IReadOnlyList<FilterMap> filters) => null;

    /// <summary>
    /// The kinds of event that a flag chooses, instead of the others or beside them. What the object declares beside them (<c>VEIL_EVENT</c>) is emitted
    /// where no
    /// flag chooses one; with nothing here, all that it declares.
    /// </summary>
    public virtual IReadOnlyList<EventKind> EventsByFlag => [];

    /// <summary>Does a trace with these flags have the events of a key of a filter? Some are only traced where they are asked for.</summary>
    /// <param name="filter">One of <see cref="Filters"/>.</param>
    /// <param name="key">The key.</param>
    /// <param name="arguments">The flags, with the filters.</param>
    public virtual bool Traces(FilterDimension filter, FilterKey key, ModuleArguments arguments) => true;

    /// <summary>The stacks that its events hold themselves, as members; nothing: those of the running task are read behind its events.</summary>
    public virtual StackKinds? OwnStacks(ModuleArguments arguments) => null;

    /// <summary>The event, a key of the filter <c>event</c>, that is emitted as the trace ends, when counts have ended; nothing: none is.</summary>
    public virtual string? LastEvent => null;

    /// <summary>The kinds of event that <c>--output strace</c> shows; nothing: it can show none.</summary>
    public virtual EventKind? EventsOfStrace => null;

    /// <summary>Do its events make a tree of processes (<c>--output tree</c>)?</summary>
    public virtual bool HasTree => false;

    /// <summary>Do its events come as a program makes them, so that two runs of one can be compared? Otherwise as time and load have it.</summary>
    public virtual bool ComesInOrder => true;

    /// <summary>The kind of event that these flags choose, of several the last; none: the usual ones.</summary>
    public EventKind? ChosenEvent(ModuleArguments arguments) =>
        arguments.IsStrace ? EventsOfStrace : EventsByFlag.LastOrDefault(kind => !kind.IsAdded && kind.IsChosen(arguments));

    /// <summary>Is an event struct of the object emitted with these flags?</summary>
    public virtual bool Emits(string name, ModuleArguments arguments) =>
        Emits(name, ChosenEvent(arguments)) || EventsByFlag.Any(kind => kind.IsAdded && kind.Has(name) && kind.IsChosen(arguments));

    /// <summary>Is an event struct of the object emitted?</summary>
    /// <param name="name">The struct.</param>
    /// <param name="chosen">The kind of event that flags choose, or none.</param>
    public bool Emits(string name, EventKind? chosen) =>
        chosen is null ? EventsByFlag.All(kind => !kind.Has(name)) && EventsOfStrace?.Has(name) != true : chosen.Has(name);

    /// <summary>The flag without which a filter has nothing to compare; nothing where it always has.</summary>
    /// <param name="filter">One of <see cref="Filters"/>.</param>
    /// <param name="arguments">The flags.</param>
    public string? FlagNeededBy(FilterDimension filter, ModuleArguments arguments) =>
        EventsByFlag.LastOrDefault(kind => kind.Flags.Skip(1).Contains(filter.Name) && !kind.IsChosen(arguments))?.Flags[0];

    /// <summary>What is attached: the module itself, or one for each thing that its flags name.</summary>
    /// <param name="arguments">The flags.</param>
    /// <param name="filters">The filters: a path is looked up where the chosen processes are.</param>
    /// <exception cref="UsageException">A flag's value is wrong.</exception>
    public virtual IReadOnlyList<TraceModule> Instances(ModuleArguments arguments, IReadOnlyList<FilterExpression> filters) => [this];

    /// <summary>What this kernel does not let the module see, for <c>veil doctor</c>: what, and why.</summary>
    public virtual IEnumerable<string> Gaps() => [];

    /// <summary>What the user should know before the trace begins, each a line.</summary>
    /// <param name="arguments">The flags.</param>
    public virtual IEnumerable<string> Warnings(ModuleArguments arguments) => [];

    /// <summary>What <c>veil doctor</c> attaches for an instant: the module, or one that needs no flag.</summary>
    public virtual TraceModule ForDoctor() => this;

    /// <summary>What to ask before starting, where the trace could hurt; nothing for no question.</summary>
    public virtual string? Question(IReadOnlyList<FilterExpression> filters, ModuleArguments arguments) => null;

    /// <summary>The flag of the filter in userspace, where there is one.</summary>
    public virtual string? FiltersInUserspace => null;

    /// <summary>The filter in userspace, or none.</summary>
    /// <param name="schema">The events that it is asked about.</param>
    public virtual EventFilter? CreateFilter(EventSchema schema) => null;

    /// <summary>The compiled BPF object.</summary>
    public abstract byte[] ReadObject();

    /// <summary>
    /// Is what was attached last detached first? Else a trace would end with events that lack what nobody notes any more, with beginnings
    /// whose end nobody sees, or with both. Not where an end without its beginning is an event too.
    /// </summary>
    public virtual bool DetachesLastFirst => true;

    /// <summary>Sets what must be set before the object is loaded, beside thresholds, filters and the sizes of unused maps.</summary>
    public virtual void Configure(BpfObject bpfObject, HookRung rung, ModuleArguments arguments)
    {
    }

    /// <summary>Fills the maps that must be filled before the programs are attached.</summary>
    public virtual void Fill(BpfObject bpfObject, ModuleArguments arguments)
    {
    }

    /// <summary>Attaches a program; by default where its section says. An iterator has run when it returns, and leaves no link.</summary>
    public virtual IEnumerable<BpfLink> Attach(BpfObject bpfObject, BpfProgram program, HookRung rung, ModuleArguments arguments)
    {
        if (!program.IsIterator)
            return [program.Attach()];
        program.Iterate();
        return [];
    }

    /// <summary>
    /// Is it a loss when the kernel skips the program, because it was running on that CPU already? Not where another program of the
    /// module takes over.
    /// </summary>
    public virtual bool CountsMisses(BpfProgram program) => true;
}
