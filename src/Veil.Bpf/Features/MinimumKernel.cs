// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf;

/// <summary>
/// The release that brought each map and program type (from the commits that added the enumerators to include/uapi/linux/bpf.h).
/// </summary>
internal static class MinimumKernel
{
    internal static readonly Version BpfRingBuffer = new(5, 8);
    internal static readonly Version TracingPrograms = new(5, 5);
    internal static readonly Version RawTracepoint = new(4, 17);
    internal static readonly Version KernelBtf = new(5, 4);
    internal static readonly Version MappableMaps = new(5, 5);
    internal static readonly Version MapsBesideLockedMemory = new(5, 11);
    internal static readonly Version PerfProbes = new(4, 17);
    internal static readonly Version RunTimeStatistics = new(5, 8);
    internal static readonly Version UprobeMulti = new(6, 6);

    internal static Version? Of(BpfMapType type) => type switch
    {
        BpfMapType.Hash or BpfMapType.Array => new(3, 19),
        BpfMapType.ProgramArray => new(4, 2),
        BpfMapType.PerfEventArray => new(4, 3),
        BpfMapType.PerCpuHash or BpfMapType.PerCpuArray or BpfMapType.StackTrace => new(4, 6),
        BpfMapType.LruHash or BpfMapType.LruPerCpuHash => new(4, 10),
        BpfMapType.ArrayOfMaps => new(4, 12),
        BpfMapType.RingBuffer => BpfRingBuffer,
        BpfMapType.TaskStorage => new(5, 11),
        _ => null,
    };

    internal static Version? Of(BpfProgramType type) => type switch
    {
        BpfProgramType.Kprobe => new(4, 1),
        BpfProgramType.Tracepoint => new(4, 7),
        BpfProgramType.PerfEvent => new(4, 9),
        BpfProgramType.RawTracepoint => RawTracepoint,
        BpfProgramType.Tracing => TracingPrograms,
        _ => null,
    };
}
