// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Bpf;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Modules;

namespace Veil.Modules.Memory;

/// <summary>Page faults.</summary>
internal sealed class MemoryModule : TraceModule
{
    private const string Minor = "memory_minor_perf";
    private const string Major = "memory_major_perf";
    private const int NoSuchDevice = 19; // ENODEV

    public override string Name => "memory";

    public override string Summary => "page faults, with their addresses";

    public override string CountKey => "evt_type";

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("veil --module memory --fault major", "page faults that had to wait for a disk"),
    ];

    public override IReadOnlyList<FilterDimension> OwnFilters { get; } = [new EnumDimension("fault", "page fault", "minor", "major")];

    public override IReadOnlyList<ModuleFlag> Flags { get; } = [Thresholds.Slower];

    public override IReadOnlyList<HookRung> Rungs { get; } =
    [
        // The return first: a fault that was seen to begin is then also seen to end.
        new("fentry", "fentry and fexit/handle_mm_fault", "memory_exit_fentry", "memory_exit_task_fentry", "memory_enter_fentry") {
            UnusedMaps = ["memory_traps"] },
        new("kprobe", "kprobe and kretprobe/handle_mm_fault", "memory_exit_kprobe", "memory_exit_task_kprobe", "memory_enter_kprobe") {
            UnusedMaps = ["memory_traps"] },
        new("perf", "perf software events page-faults-min and page-faults-maj",
            new("memory_user_exception_perf", When: HasExceptions), new("memory_kernel_exception_perf", When: HasExceptions), Minor,
            Major) { UnusedMaps = ["memory_calls"] },
    ];

    public override IReadOnlyDictionary<string, ColumnHint> Columns { get; } = new Dictionary<string, ColumnHint>(StringComparer.Ordinal)
    {
        ["evt_type"] = new() { Title = "EVENT" },
    };

    public override bool ComesInOrder => false;

    public override byte[] ReadObject() => EmbeddedObject.Read("memory");

    public override IEnumerable<BpfLink> Attach(BpfObject bpfObject, BpfProgram program, HookRung rung, ModuleArguments arguments)
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

    // The codes of the exception are read as x86 has them; arm64 has no such tracepoints.
    private static bool HasExceptions(ModuleArguments arguments) =>
        RuntimeInformation.ProcessArchitecture == Architecture.X64 && KernelFeatures.HasBtfTracepoint("page_fault_user");

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
