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
        BpfMapType.CgroupArray => new(4, 8),
        BpfMapType.LruHash or BpfMapType.LruPerCpuHash => new(4, 10),
        BpfMapType.LpmTrie => new(4, 11),
        BpfMapType.ArrayOfMaps or BpfMapType.HashOfMaps => new(4, 12),
        BpfMapType.DeviceMap or BpfMapType.SockMap => new(4, 14),
        BpfMapType.CpuMap => new(4, 15),
        BpfMapType.XskMap or BpfMapType.SockHash => new(4, 18),
        BpfMapType.CgroupStorage or BpfMapType.ReusePortSockArray => new(4, 19),
        BpfMapType.PerCpuCgroupStorage or BpfMapType.Queue or BpfMapType.Stack => new(4, 20),
        BpfMapType.SocketStorage => new(5, 2),
        BpfMapType.DeviceMapHash => new(5, 4),
        BpfMapType.StructOps => new(5, 6),
        BpfMapType.RingBuffer => BpfRingBuffer,
        BpfMapType.InodeStorage => new(5, 10),
        BpfMapType.TaskStorage => new(5, 11),
        BpfMapType.BloomFilter => new(5, 16),
        BpfMapType.UserRingBuffer => new(6, 1),
        BpfMapType.CgroupLocalStorage => new(6, 2),
        BpfMapType.Arena => new(6, 9),
        _ => null,
    };

    internal static Version? Of(BpfProgramType type) => type switch
    {
        BpfProgramType.SocketFilter => new(3, 19),
        BpfProgramType.Kprobe or BpfProgramType.SchedulerClassifier or BpfProgramType.SchedulerAction => new(4, 1),
        BpfProgramType.Tracepoint => new(4, 7),
        BpfProgramType.Xdp => new(4, 8),
        BpfProgramType.PerfEvent => new(4, 9),
        BpfProgramType.CgroupSkb or BpfProgramType.CgroupSock => new(4, 10),
        BpfProgramType.LwtIn or BpfProgramType.LwtOut or BpfProgramType.LwtXmit => new(4, 10),
        BpfProgramType.SockOps => new(4, 13),
        BpfProgramType.SkSkb => new(4, 14),
        BpfProgramType.CgroupDevice => new(4, 15),
        BpfProgramType.SkMsg or BpfProgramType.CgroupSockAddr => new(4, 17),
        BpfProgramType.RawTracepoint => RawTracepoint,
        BpfProgramType.LwtSeg6Local or BpfProgramType.LircMode2 => new(4, 18),
        BpfProgramType.SkReusePort => new(4, 19),
        BpfProgramType.FlowDissector => new(4, 20),
        BpfProgramType.CgroupSysctl or BpfProgramType.RawTracepointWritable => new(5, 2),
        BpfProgramType.CgroupSockOpt => new(5, 3),
        BpfProgramType.Tracing => TracingPrograms,
        BpfProgramType.StructOps or BpfProgramType.Extension => new(5, 6),
        BpfProgramType.Lsm => new(5, 7),
        BpfProgramType.SkLookup => new(5, 9),
        BpfProgramType.Syscall => new(5, 14),
        BpfProgramType.Netfilter => new(6, 4),
        _ => null,
    };
}
