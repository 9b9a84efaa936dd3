using Veil.Bpf;
using Veil.Core.Filters;

namespace Veil.Core.Modules;

/// <summary>
/// What the core needs to know of a module. The rest (what an event holds, what is filtered) the core reads from the module's object.
/// </summary>
public abstract class TraceModule
{
    private static readonly FilterDimension[] s_commonFilters = [new PidDimension(), new UidDimension(), new NameDimension()];

    /// <summary>The name that users give to <c>--module</c>.</summary>
    public abstract string Name { get; }

    /// <summary>What it traces, in a few words.</summary>
    public abstract string Summary { get; }

    /// <summary>The filters beside the common ones.</summary>
    public virtual IReadOnlyList<FilterDimension> OwnFilters => [];

    /// <summary>The switches beside the common ones.</summary>
    public virtual IReadOnlyList<ModuleSwitch> Switches => [];

    /// <summary>The ways to attach, best first.</summary>
    public abstract IReadOnlyList<HookRung> Rungs { get; }

    /// <summary>Every filter: those that all modules have, then its own.</summary>
    public IEnumerable<FilterDimension> Filters => s_commonFilters.Concat(OwnFilters);

    /// <summary>The compiled BPF object.</summary>
    public abstract byte[] ReadObject();

    /// <summary>The programs that a rung attaches, in the order of attaching.</summary>
    /// <param name="rung">One of <see cref="Rungs"/>.</param>
    /// <param name="switches">The switches that are on.</param>
    public abstract IReadOnlyList<string> Programs(HookRung rung, IReadOnlySet<string> switches);

    /// <summary>The number of the event struct that is emitted (<c>VEIL_EVENT</c>).</summary>
    public virtual int EventNumber(IReadOnlySet<string> switches) => 0;

    /// <summary>Sets what must be set before the object is loaded.</summary>
    public virtual void Configure(BpfObject bpfObject, IReadOnlySet<string> switches)
    {
    }
}
