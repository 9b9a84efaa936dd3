// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Bpf;
using Veil.Bpf.Interop;
using Veil.Core.Interop;
using Veil.Core.Waiting;

namespace Veil.Core.Why;

/// <summary>Measures where the time of a process goes. Needs BTF programs of tracepoints and the iterator of tasks (5.9).</summary>
public sealed class WhyTrace
{
    private const int ClockMonotonic = 1;
    private const uint RoleTarget = 1; // enum why_role
    private const uint RolePeer = 2;
    private const int PeersMax = 16;
    private const int RingBytes = 2 * 1024 * 1024;
    private const uint Hertz = 199;   // not in step with what runs a hundred times a second
    private const int LookEvery = 5; // ticks
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(20);
    private static readonly Version s_since = new(5, 9);

    private readonly BpfHashMap<uint, uint> _processes;
    private readonly BpfHashMap<uint, WhyTask> _tasks;
    private readonly BpfHashMap<WhyKey, WhySum> _sums;
    private readonly BpfObject _object;
    private readonly WhyPlaces _places = new();
    private readonly Dictionary<uint, string> _names = [];
    private readonly HashSet<uint> _peers = [];
    private readonly uint _pid;

    private WhyTrace(BpfObject bpfObject, uint pid)
    {
        _object = bpfObject;
        _pid = pid;
        _processes = new BpfHashMap<uint, uint>(bpfObject.Map("why_processes"));
        _tasks = new BpfHashMap<uint, WhyTask>(bpfObject.Map("why_tasks"));
        _sums = new BpfHashMap<WhyKey, WhySum>(bpfObject.Map("why_sums"));
    }

    /// <summary>Measures, until the time is over, the process has ended, or the stop is asked for.</summary>
    /// <param name="objectBytes">The BPF object.</param>
    /// <param name="pid">The process.</param>
    /// <param name="duration">For how long.</param>
    /// <param name="stop">Ends it early.</param>
    /// <param name="begun">Is told when it has begun.</param>
    /// <exception cref="VeilException">There is no such process, or it cannot be measured.</exception>
    /// <exception cref="BpfException">Privileges are missing.</exception>
    public static WhyFound Run(byte[] objectBytes, uint pid, TimeSpan duration, StopSignal stop, Action begun)
    {
        ArgumentNullException.ThrowIfNull(stop);
        ArgumentNullException.ThrowIfNull(begun);
        if (!PidNamespace.IsInitial)
            throw new VeilException("why: ids of this PID namespace are not those of the kernel; run it in the initial one");
        Check(pid);
        if (KernelFeatures.KernelVersion < s_since)
            throw new KernelTooOldException("veil why", s_since, KernelFeatures.KernelVersion, "see veil -m scheduler,syscall -p PID");
        using var bpfObject = BpfObject.Open(objectBytes, "why");
        bpfObject.Load();
        return new WhyTrace(bpfObject, pid).Measure(duration, stop, begun);
    }

    private static void Check(uint pid)
    {
        string folder = "/proc/" + pid.ToString(CultureInfo.InvariantCulture);
        if (!LibC.IsTask((int)pid))
            throw new VeilException($"why: there is no process {pid}");
        if (!LibC.IsProcess((int)pid))
            throw new VeilException($"why: {pid} is a thread of another process; give that one's id (Tgid in {folder}/status)");
        // PF_KTHREAD of include/linux/sched.h.
        if (StatOf(pid) is not { Length: > StatMajorFaults } fields)
            return;
        if (ulong.TryParse(fields[StatFlags], NumberStyles.None, CultureInfo.InvariantCulture, out ulong flags) && (flags & 0x00200000) != 0)
            throw new VeilException($"why: {pid} is a thread of the kernel; veil -m scheduler --tid {pid} shows when it runs");
        if (fields[0] is "Z" or "X")
            throw new VeilException($"why: process {pid} has ended already; its parent has not waited for it");
    }

    // Of proc_pid_stat(5), behind the name, which may have spaces.
    private const int StatFlags = 6, StatMinorFaults = 7, StatMajorFaults = 9;

    private static string[] StatOf(uint pid)
    {
        string stat = KernelFile.Text($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat") ?? "";
        return stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }

    private static (ulong Minor, ulong Major)? FaultsOf(uint pid) =>
        StatOf(pid) is { Length: > StatMajorFaults } fields
        && ulong.TryParse(fields[StatMinorFaults], NumberStyles.None, CultureInfo.InvariantCulture, out ulong minor)
        && ulong.TryParse(fields[StatMajorFaults], NumberStyles.None, CultureInfo.InvariantCulture, out ulong major) ? (minor, major) : null;

    private WhyFound Measure(TimeSpan duration, StopSignal stop, Action begun)
    {
        WhyCalls.Tell(new BpfHashMap<uint, uint>(_object.Map("why_calls")));
        _processes.Set(_pid, RoleTarget);
        var links = new List<BpfLink>();
        WhySamples? samples = null;
        string? noSamples = null;
        try
        {
            try
            {
                samples = WhySamples.Start(_object, _pid, RingBytes, Hertz);
            }
            catch (BpfException cause)
            {
                noSamples = cause.Message;
            }

            foreach (string name in (string[])["why_call_exit", "why_call_enter", "why_switch", "why_wake", "why_new", "why_exec", "why_end"])
                links.Add(_object.Program(name).Attach());
            var iterator = _object.Program("why_task_iter");
            (ulong Minor, ulong Major) first = FaultsOf(_pid) ?? default, faults = first;
            long beginNs = LibC.NowNs(ClockMonotonic);
            iterator.Iterate();
            begun();
            stop.RequestAfter(duration);
            bool hasEnded = false;
            for (int tick = 0; !stop.IsRequested && !hasEnded; tick++)
            {
                Thread.Sleep(s_tick);
                _places.LookAtLocks(_tasks.Entries().Select(static entry => entry.Value.Key));
                if (tick % LookEvery == 0)
                {
                    samples?.Drain();
                    if (Look())
                        iterator.Iterate();
                    faults = FaultsOf(_pid) ?? faults;
                }

                hasEnded = !_tasks.Entries().Any(entry => entry.Value.Key.Pid == _pid);
            }

            _object.Global<uint>("why_done") = 1;
            long endNs = LibC.NowNs(ClockMonotonic);
            samples?.Drain();
            Look();
            faults = FaultsOf(_pid) ?? faults;
            return Collect((ulong)beginNs, (ulong)endNs) with
            {
                HasEnded = hasEnded,
                MinorFaults = faults.Minor - first.Minor,
                MajorFaults = faults.Major - first.Major,
                Functions = samples?.Collect() ?? [],
                NoFunctions = noSamples,
            };
        }
        finally
        {
            foreach (var link in links)
                link.Dispose();
            samples?.Dispose();
        }
    }

    // Names what is new while it can be named. True: there are more processes to measure.
    private bool Look()
    {
        var keys = _sums.Entries().Select(static entry => entry.Key).Concat(_tasks.Entries().Select(static entry => entry.Value.Key)).ToList();
        foreach (uint id in keys.SelectMany(static key => (uint[])[key.Pid, key.Tid]).Distinct())
            Name(id);
        _places.Look(keys, hasPeer: pid => pid == _pid);
        bool isNew = false;
        foreach (uint peer in _places.Peers.Where(peer => peer != _pid && !_peers.Contains(peer)).Take(PeersMax - _peers.Count).ToList())
        {
            Name(peer);
            _peers.Add(peer);
            _processes.Set(peer, RolePeer);
            isNew = true;
        }

        return isNew;
    }

    // The last name that it had.
    private void Name(uint id)
    {
        if (KernelFile.Text($"/proc/{id.ToString(CultureInfo.InvariantCulture)}/comm") is { Length: > 0 } name)
            _names[id] = name;
    }

    private WhyFound Collect(ulong beginNs, ulong endNs)
    {
        var sums = new Dictionary<WhyKey, (ulong Ns, ulong Times)>();
        foreach (var (key, sum) in _sums.Entries())
        {
            sums[key] = (sum.Ns, sum.Times);
            uint id = key.State == WhyState.Runnable ? key.Other : key.Tid;
            if (sum.Name.Length > 0)
                _names.TryAdd(id, sum.Name);
        }

        foreach (var (_, task) in _tasks.Entries())
        {
            ulong ns = endNs > task.SinceNs ? endNs - task.SinceNs : 0;
            var key = task.Key.State == WhyState.Runnable ? task.Key with { Number = -1, ArchNumber = 0, Other = WhyKey.Unknown } : task.Key;
            var before = sums.GetValueOrDefault(key);
            sums[key] = (before.Ns + ns, before.Times + 1);
        }

        foreach (uint id in sums.Keys.Where(static key => key.State == WhyState.Runnable && key.Other is not (0 or WhyKey.Unknown))
            .Select(static key => key.Other).Distinct())
            Name(id);
        var rows = sums.Where(static sum => sum.Value.Ns > 0).SelectMany(sum => _places.Rows(sum.Key, sum.Value.Ns, sum.Value.Times));
        return new WhyFound(_pid, endNs - beginNs, [.. rows], [], _names)
        {
            LostNs = _object.Global<ulong>("why_lost_ns"),
            LostTasks = _object.Global<ulong>("why_lost_tasks"),
            LostSamples = _object.Global<ulong>("why_lost_samples"),
        };
    }
}
