// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Containers;
using Veil.Core.Events;
using Veil.Core.Executables;
using Veil.Core.Losses;
using Veil.Core.Pipeline;

namespace Veil.Core.Sources;

/// <summary>
/// Cgroups that were made during a trace which filters by names. The kernel lets their events pass until it is known whose they are; here
/// they wait for that, and then go on or are dropped. A cgroup of which nobody says a name in time is nobody's.
/// </summary>
/// <param name="header">The header of records.</param>
internal sealed class NewCgroups(EventHeader header)
{
    private const long PatienceMs = 1_000;
    private const long AskEveryMs = 20;
    private const long LateAskEveryMs = 1_000;
    private const long LatePatienceMs = 60_000;
    private const int LateMax = 256;
    private const int HeldBytesMax = 32 * 1024 * 1024;

    private readonly Dictionary<(uint Module, ulong Id), State> _states = [];
    private readonly List<(uint Module, ulong Id, byte[] Record, byte[] Executable)> _held = [];
    private readonly List<(ulong Id, string Path, long SinceMs)> _waiting = [];
    private readonly Queue<(ulong Id, long UntilMs)> _decided = new();
    private readonly List<(ulong Id, string Path, long SinceMs)> _late = [];
    private long _heldBytes;
    private long _askAtMs;
    private long _askLateAtMs;

    private enum State
    {
        Waiting,
        Passes,
        Dropped,
    }

    /// <summary>Is there anything to ask?</summary>
    public bool IsActive => _states.Count > 0;

    /// <summary>A cgroup was made.</summary>
    public void Add(ulong id, string path, IEnumerable<AttachedModule> modules)
    {
        _waiting.Add((id, path, Environment.TickCount64));
        foreach (var module in modules)
            _states[(module.Number, id)] = State.Waiting;
        _askAtMs = 0;
    }

    /// <summary>Takes a record that waits, or is dropped.</summary>
    /// <returns>False: it goes on.</returns>
    public bool Takes(ReadOnlySpan<byte> record, EventSchema schema, EventPipeline pipeline)
    {
        if (!schema.HasOrigin || record.Length < schema.SizeBytes)
            return false;
        uint module = schema.Kind / EventCatalog.KindsPerModule;
        ulong id = BinaryPrimitives.ReadUInt64LittleEndian(record[schema.CgroupOffset..]);
        if (!_states.TryGetValue((module, id), out var state) || state == State.Passes)
            return false;
        if (state == State.Dropped)
        {
            pipeline.DroppedByName++;
            return true;
        }

        if (_heldBytes + record.Length > HeldBytesMax)
        {
            pipeline.Lost(new(schema.Module, LossCause.MapFull), new LossCount(1, []));
            return true;
        }

        _heldBytes += record.Length;
        byte[] executable = ExecutableTable.Own.Find(BinaryPrimitives.ReadUInt32LittleEndian(record[header.PidOffset..]));
        _held.Add((module, id, record.ToArray(), executable));
        return true;
    }

    /// <summary>Decides what can be decided now.</summary>
    /// <param name="modules">By their numbers.</param>
    /// <param name="pipeline">Takes what waited.</param>
    /// <param name="last">The trace ends: what is not known is nobody's.</param>
    public void Step(IReadOnlyList<AttachedModule> modules, EventPipeline pipeline, bool last)
    {
        long now = Environment.TickCount64;
        // What passed the kernel before it was decided has been taken by then; from there on the kernel decides, by filters that may
        // have changed.
        while (_decided.TryPeek(out var oldest) && oldest.UntilMs < now)
        {
            _decided.Dequeue();
            foreach (var module in modules)
                _states.Remove((module.Number, oldest.Id));
        }

        if (_late.Count > 0 && now >= _askLateAtMs)
            AskLate(modules, now);
        if (_waiting.Count == 0 || (now < _askAtMs && !last))
            return;
        _askAtMs = now + AskEveryMs;
        var decided = new HashSet<ulong>();
        foreach (var (id, path, since) in _waiting)
        {
            bool isLate = last || now - since > PatienceMs;
            if (!isLate)
                ContainerNames.Own.Forget(path);
            bool?[] verdicts = [.. modules.Select(module => module.Decide(id, path, isLate))];
            if (verdicts.Contains(null))
                continue;
            decided.Add(id);
            if (isLate && _late.Count < LateMax && ContainerNames.Own.Find(path) is { Name: null })
                _late.Add((id, path, since));
            _decided.Enqueue((id, now + PatienceMs));
            foreach (var (number, module) in modules.Index())
                _states[(module.Number, id)] = verdicts[number] is true ? State.Passes : State.Dropped;
        }

        if (decided.Count == 0)
            return;
        _waiting.RemoveAll(some => decided.Contains(some.Id));
        foreach (var (module, id, record, executable) in _held)
        {
            var state = _states.GetValueOrDefault((module, id));
            if (state == State.Waiting)
                continue;
            if (state == State.Dropped)
                pipeline.DroppedByName++;
            ExecutableTable.Own.Noted = executable;
            if (state == State.Passes && !pipeline.IsComplete)
                pipeline.Deliver(record);
        }

        ExecutableTable.Own.Noted = null;

        _held.RemoveAll(held => _states.GetValueOrDefault((held.Module, held.Id)) != State.Waiting);
        _heldBytes = _held.Sum(static held => (long)held.Record.Length);
    }

    // A runtime that is slow has its name by then: what comes from now on is decided by it, in the kernel.
    private void AskLate(IReadOnlyList<AttachedModule> modules, long now)
    {
        _askLateAtMs = now + LateAskEveryMs;
        _late.RemoveAll(some =>
        {
            ContainerNames.Own.Forget(some.Path);
            foreach (var module in modules)
                module.Decide(some.Id, some.Path, isLate: false);
            return now - some.SinceMs > LatePatienceMs || ContainerNames.Own.Find(some.Path) is not { Name: null };
        });
    }
}
