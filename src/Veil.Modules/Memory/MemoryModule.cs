using System.Runtime.InteropServices;
using Veil.Bpf;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Modules;

namespace Veil.Modules.Memory;

/// <summary>Page faults.</summary>
public sealed class MemoryModule : TraceModule
{
    private const string Perf = "perf";
    private const string Minor = "minor_perf";
    private const string Major = "major_perf";
    private const int NoSuchDevice = 19; // ENODEV

    /// <inheritdoc/>
    public override string Name => "memory";

    /// <inheritdoc/>
    public override string Summary => "page faults";

    /// <inheritdoc/>
    public override string CountKey => "evt_type";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("veil --module memory --fault major", "page faults that had to wait for a disk"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<FilterDimension> OwnFilters { get; } = [new FaultDimension()];

    /// <inheritdoc/>
    public override IReadOnlyList<ModuleFlag> Flags { get; } = [Thresholds.Slower];

    /// <inheritdoc/>
    public override IReadOnlyList<HookRung> Rungs { get; } =
    [
        new("fentry", "fentry and fexit/handle_mm_fault"),
        new("kprobe", "kprobe and kretprobe/handle_mm_fault"),
        new(Perf, "perf software events page-faults-min and page-faults-maj"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, ColumnHint> Columns { get; } = new Dictionary<string, ColumnHint>(StringComparer.Ordinal)
    {
        ["evt_type"] = new() { Title = "EVENT" },
    };

    /// <inheritdoc/>
    public override byte[] ReadObject() => EmbeddedObject.Read("memory");

    /// <inheritdoc/>
    public override IReadOnlyList<TraceModule> Instances(ModuleArguments arguments)
    {
        Thresholds.Validate(arguments);
        return [this];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Programs(HookRung rung, ModuleArguments arguments)
    {
        // The return first: a fault that was seen to begin is then also seen to end.
        if (rung.Name != Perf)
            return [$"exit_{rung.Name}", $"enter_{rung.Name}"];

        // The codes of the exception are read as x86 has them; arm64 has no such tracepoints.
        bool exceptions = RuntimeInformation.ProcessArchitecture == Architecture.X64 && KernelFeatures.HasBtfTracepoint("page_fault_user");
        return exceptions ? ["user_exception_perf", "kernel_exception_perf", Minor, Major] : [Minor, Major];
    }

    /// <inheritdoc/>
    public override void Configure(BpfObject bpfObject, HookRung rung, ModuleArguments arguments)
    {
        Thresholds.Configure(bpfObject, arguments);
        bpfObject.Map(rung.Name == Perf ? "memory_calls" : "memory_exceptions").SetMaxEntries(1);
    }

    /// <inheritdoc/>
    public override IEnumerable<BpfLink> Attach(BpfProgram program, HookRung rung, ModuleArguments arguments)
    {
        if (program.Name is not (Minor or Major))
            return [program.Attach()];

        var kind = program.Name == Minor ? PerfSoftwareEvent.MinorPageFaults : PerfSoftwareEvent.MajorPageFaults;
        var links = new List<BpfLink>();
        try
        {
            for (int cpu = 0; cpu < KernelFeatures.PossibleCpuCount; cpu++)
            {
                if (Open(kind, cpu) is { } perfEvent)
                {
                    using (perfEvent)
                        links.Add(program.AttachPerfEvent(perfEvent));
                }
            }
        }
        catch
        {
            foreach (var link in links)
                link.Dispose();
            throw;
        }

        return links;
    }

    // A CPU that is offline has no events; possible ones need not be there.
    private static PerfEventHandle? Open(PerfSoftwareEvent kind, int cpu)
    {
        try
        {
            return PerfEventHandle.OpenSoftware(kind, cpu);
        }
        catch (BpfException cause) when (cause.Errno == NoSuchDevice)
        {
            return null;
        }
    }
}
