// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf;
using Veil.Core.Cgroups;
using Veil.Core.Containers;
using Veil.Core.Filters;
using Veil.Core.Interop;
using Veil.Core.Sources;

namespace Veil.Core.Stuck;

/// <summary>One look at the tasks by an iterator in the kernel (5.9, which has bpf_get_task_stack() there). Nothing stays there.</summary>
public static class TaskLook
{
    private static readonly Version s_since = new(5, 9);

    /// <summary>The dimensions that it knows.</summary>
    public static IReadOnlyList<FilterDimension> Dimensions { get; } =
    [
        new PidDimension(), new TidDimension(), new PpidDimension(), new UidDimension(), new NameDimension(), new CgroupDimension(CgroupTree.Own),
        new ContainerDimension(ContainerNames.Own), new PodDimension(ContainerNames.Own),
    ];

    /// <summary>Can it be known what arguments point to?</summary>
    public static bool ReadsArguments => PidNamespace.IsInitial;

    /// <summary>Looks.</summary>
    /// <param name="objectBytes">The BPF object.</param>
    /// <param name="options">At whom.</param>
    /// <param name="report">Takes each task.</param>
    /// <param name="text">To which it writes.</param>
    /// <exception cref="BpfException">Privileges are missing.</exception>
    /// <exception cref="KernelTooOldException">There is no such iterator.</exception>
    public static void Run(byte[] objectBytes, StuckOptions options, StuckReport report, StringBuilder text)
    {
        if (KernelFeatures.KernelVersion < s_since)
            throw new KernelTooOldException(
                "veil stuck", s_since, KernelFeatures.KernelVersion, "see /proc/PID/syscall and /proc/PID/stack of each task");
        using var bpfObject = BpfObject.Open(objectBytes, "stuck");
        bpfObject.SetGlobal("stuck_uninterruptible", options.OnlyUninterruptible);
        bpfObject.SetGlobal("stuck_slower_ns", (ulong)options.Slower.TotalNanoseconds);
        bpfObject.SetGlobal("veil_self", (uint)Environment.ProcessId);
        if (PidNamespace.IsInitial is false)
        {
            bpfObject.SetGlobal("veil_self_ns_device", PidNamespace.Own.Device);
            bpfObject.SetGlobal("veil_self_ns_inode", PidNamespace.Own.Inode);
        }

        foreach (var dimension in Dimensions.Where(static dimension => dimension is not ScopeDimension))
            KernelFilter.Configure(bpfObject, dimension, counter: 0);
        KernelScope.Configure(bpfObject, counter: 0);
        bpfObject.SetGlobal("veil_cgroup_by", (uint)(CgroupTree.Own.Hierarchy?.By ?? CgroupBy.Default));
        bpfObject.Load();
        var scope = new KernelScope(bpfObject, CgroupTree.Own, counter: 0);
        foreach (var filter in options.Filters)
            new FilterMap(filter.Dimension, filter.Dimension is ScopeDimension cgroup ? scope.Of(cgroup)
                : new KernelFilter(bpfObject, filter.Dimension, counter: 0)).Replace(filter.Bits);

        // Brings the time up to date that the programs take for now.
        Thread.Yield();
        report.Ends.ListBy(bpfObject.Program("stuck_file_iter"));
        Read(
            bpfObject.Program("stuck_task_iter"),
            (in StuckTask task, ReadOnlySpan<ulong> stack) => report.Append(text, task, stack));
        report.Ends.ListBy(null);
    }

    /// <summary>Runs an iterator that writes a <c>struct look_task</c> for each task.</summary>
    internal static void Read(BpfProgram iterator, Taker take)
    {
        var rest = new List<byte>();
        iterator.Iterate(bytes =>
        {
            rest.AddRange(bytes);
            var all = CollectionsMarshal.AsSpan(rest);
            int taken = 0;
            while (TryTake(all[taken..], take, out int size))
                taken += size;
            rest.RemoveRange(0, taken);
        });
    }

    private static bool TryTake(ReadOnlySpan<byte> bytes, Taker take, out int size)
    {
        size = 0;
        if (bytes.Length < StuckTask.SizeBytes)
            return false;
        ref readonly var task = ref MemoryMarshal.AsRef<StuckTask>(bytes);
        size = StuckTask.SizeBytes + (task.Frames * sizeof(ulong));
        if (bytes.Length < size)
            return false;
        take(task, MemoryMarshal.Cast<byte, ulong>(bytes[StuckTask.SizeBytes..size]));
        return true;
    }

    /// <summary>Takes a task and the addresses of its stack in the kernel.</summary>
    internal delegate void Taker(in StuckTask task, ReadOnlySpan<ulong> stack);
}
