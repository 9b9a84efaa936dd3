// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using Veil.Bpf;
using Veil.Bpf.Interop;
using Veil.Core.Interop;
using Veil.Core.Kernel;
using Veil.Core.Stuck;
using Veil.Core.Waiting;

namespace Veil.Core.Why;

/// <summary>Measures where the time of a process goes. Needs BTF programs of tracepoints and the iterator of tasks (5.8).</summary>
public sealed class WhyTrace
{
    private const int ClockMonotonic = 1;
    private const uint RoleTarget = 1; // enum why_role
    private const uint RolePeer = 2;
    private const int PeersMax = 16;
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(100);
    private static readonly Version s_since = new(5, 8);

    private readonly BpfHashMap<uint, uint> _processes;
    private readonly BpfHashMap<uint, WhyTask> _tasks;
    private readonly BpfHashMap<WhyKey, WhySum> _sums;
    private readonly BpfObject _object;
    private readonly Dictionary<(uint Pid, int Fd, ulong Inode), string?> _names = [];
    private readonly Dictionary<string, uint> _peerOf = new(StringComparer.Ordinal);
    private readonly HashSet<string> _sought = new(StringComparer.Ordinal);
    private readonly HashSet<uint> _peers = [];

    private WhyTrace(BpfObject bpfObject)
    {
        _object = bpfObject;
        _processes = new BpfHashMap<uint, uint>(bpfObject.Map("why_processes"));
        _tasks = new BpfHashMap<uint, WhyTask>(bpfObject.Map("why_tasks"));
        _sums = new BpfHashMap<WhyKey, WhySum>(bpfObject.Map("why_sums"));
    }

    /// <summary>Measures, until the time is over, the process has ended, or the stop is asked for.</summary>
    /// <param name="objectBytes">The BPF object.</param>
    /// <param name="pid">The process.</param>
    /// <param name="duration">For how long.</param>
    /// <param name="follows">Its children too: those that it has, and those that it makes.</param>
    /// <param name="stop">Ends it early.</param>
    /// <exception cref="VeilException">There is no such process, or it cannot be measured.</exception>
    public static WhyFound Run(byte[] objectBytes, uint pid, TimeSpan duration, bool follows, StopSignal stop)
    {
        if (!PidNamespace.IsInitial)
            throw new VeilException("why: ids of this PID namespace are not those of the kernel; run it in the initial one");
        Check(pid);
        if (KernelFeatures.KernelVersion < s_since)
            throw new KernelTooOldException("veil why", s_since, KernelFeatures.KernelVersion, "see veil -m scheduler,syscall -p PID");
        using var bpfObject = BpfObject.Open(objectBytes, "why");
        bpfObject.SetGlobal("why_follow", follows);
        bpfObject.Load();
        return new WhyTrace(bpfObject).Measure(pid, duration, follows, stop);
    }

    private static void Check(uint pid)
    {
        string folder = "/proc/" + pid.ToString(CultureInfo.InvariantCulture);
        if (!LibC.IsTask((int)pid))
            throw new VeilException($"why: there is no process {pid}");
        if (!LibC.IsProcess((int)pid))
            throw new VeilException($"why: {pid} is a thread of another process; give that one's id (Tgid in {folder}/status)");
        // PF_KTHREAD of include/linux/sched.h, in the ninth field; the name before it may have spaces.
        string stat = KernelFile.Text(folder + "/stat") ?? "";
        string[] fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length > 6 && ulong.TryParse(fields[6], NumberStyles.None, CultureInfo.InvariantCulture, out ulong flags)
            && (flags & 0x00200000) != 0)
            throw new VeilException($"why: {pid} is a thread of the kernel; veil -m scheduler --tid {pid} shows when it runs");
        if (fields.Length > 0 && fields[0] is "Z" or "X")
            throw new VeilException($"why: process {pid} has ended already; its parent has not waited for it");
    }

    private WhyFound Measure(uint pid, TimeSpan duration, bool follows, StopSignal stop)
    {
        _processes.Set(pid, RoleTarget);
        if (follows)
            AddChildren(pid);
        var links = new List<BpfLink>();
        try
        {
            foreach (string name in (string[])["why_call_exit", "why_call_enter", "why_switch", "why_wake", "why_new", "why_exec", "why_end"])
                links.Add(_object.Program(name).Attach());
            var iterator = _object.Program("why_task_iter");
            long beginNs = LibC.NowNs(ClockMonotonic);
            iterator.Iterate();
            stop.RequestAfter(duration);
            bool hasEnded = false;
            while (!stop.IsRequested && !hasEnded)
            {
                Thread.Sleep(s_tick);
                if (Look())
                    iterator.Iterate();
                hasEnded = !LibC.IsProcess((int)pid) || (_tasks.Entries().Count == 0);
            }

            _object.Global<uint>("why_done") = 1;
            long endNs = LibC.NowNs(ClockMonotonic);
            Look();
            return Collect(pid, (ulong)beginNs, (ulong)endNs, hasEnded);
        }
        finally
        {
            foreach (var link in links)
                link.Dispose();
        }
    }

    private void AddChildren(uint pid)
    {
        string id = pid.ToString(CultureInfo.InvariantCulture);
        foreach (string thread in KernelFile.Folders($"/proc/{id}/task"))
        {
            foreach (string word in (KernelFile.Text(thread + "/children") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                if (uint.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out uint child) && !_processes.TryGet(child, out _))
                {
                    _processes.Set(child, RoleTarget);
                    AddChildren(child);
                }
            }
        }
    }

    // Names what is new while it can be named, and looks for the other ends. True: there are more processes to measure.
    private bool Look()
    {
        var descriptors = new DescriptorNames();
        var wanted = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var key in _sums.Entries().Select(static entry => entry.Key).Concat(_tasks.Entries().Select(static entry => entry.Value.Key)))
        {
            if (key.State != WhyState.Blocked || key.Inode == 0 || !TakesDescriptor(key))
                continue;
            int fd = (int)key.Argument;
            var at = (key.Pid, fd, key.Inode);
            if (_names.TryGetValue(at, out string? name) && name is not null)
                continue;
            // Another file may have the number by now.
            string path = $"/proc/{key.Tid.ToString(CultureInfo.InvariantCulture)}/fd/{fd.ToString(CultureInfo.InvariantCulture)}";
            if (LibC.Identity(Encoding.UTF8.GetBytes(path + "\0")).Inode == key.Inode)
                name = descriptors.SocketOf(key.Tid, fd)?.Text ?? DescriptorNames.NameOf(key.Tid, fd);
            _names[at] = name;
            if (name is not null && !_peers.Contains(key.Pid) && _sought.Add(name) && PeerSearch.LinkOf(key.Tid, name) is { } link)
                wanted[link] = name;
        }

        if (wanted.Count == 0)
            return false;
        bool isNew = false;
        foreach (var (link, owner) in PeerSearch.Owners(wanted.Keys.ToHashSet(StringComparer.Ordinal), IsTarget))
        {
            _peerOf[wanted[link]] = owner;
            if (_peers.Count < PeersMax && _peers.Add(owner))
            {
                _processes.Set(owner, RolePeer);
                isNew = true;
            }
        }

        return isNew;
    }

    private bool IsTarget(uint pid) => _processes.TryGet(pid, out uint role) && role == RoleTarget;

    // By the kernel's own names of the parameters.
    private static bool TakesDescriptor(in WhyKey key) =>
        SyscallParameters.Of(key.Arch, key.Number) is [var first, ..] && first.Name is "fd" or "sockfd" or "epfd" or "in_fd" or "out_fd";

    private WhyFound Collect(uint pid, ulong beginNs, ulong endNs, bool hasEnded)
    {
        var sums = new Dictionary<WhyKey, (ulong Ns, string Name)>();
        foreach (var (key, sum) in _sums.Entries())
            sums[key] = (sum.Ns, sum.Name);
        foreach (var (_, task) in _tasks.Entries())
        {
            ulong ns = endNs > task.SinceNs ? endNs - task.SinceNs : 0;
            string comm = KernelFile.Text($"/proc/{task.Key.Tid.ToString(CultureInfo.InvariantCulture)}/comm") ?? "";
            sums[task.Key] = sums.TryGetValue(task.Key, out var before) ? (before.Ns + ns, before.Name)
                : (ns, task.Key.State == WhyState.Runnable ? "" : comm);
        }

        var rows = sums.Where(static sum => sum.Value.Ns > 0).Select(sum => new WhyRow(sum.Key, sum.Value.Ns, sum.Value.Name, NameOf(sum.Key)))
            .ToLookup(row => _peers.Contains(row.Key.Pid));
        return new WhyFound(
            pid, endNs - beginNs, [.. rows[false]], [.. rows[true]], _peerOf, hasEnded, _object.Global<ulong>("why_lost_ns"),
            _object.Global<ulong>("why_lost_tasks"));
    }

    private string? NameOf(in WhyKey key)
    {
        if (key.State != WhyState.Blocked || key.Number < 0 || !TakesDescriptor(key))
            return null;
        int fd = (int)key.Argument;
        return $"{fd}<{_names.GetValueOrDefault((key.Pid, fd, key.Inode)) ?? "closed meanwhile"}>";
    }
}
