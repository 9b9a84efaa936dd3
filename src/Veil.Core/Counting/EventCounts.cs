// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Veil.Bpf;
using Veil.Core.Events.Kinds;
using Veil.Core.Stacks;

namespace Veil.Core.Counting;

/// <summary>The counts of one module in the kernel.</summary>
internal sealed unsafe class EventCounts
{
    private readonly BpfObject _object;
    private readonly uint* _state;
    private readonly uint* _turn;
    private readonly ulong* _running;
    private ulong _pausedTaken;

    /// <summary>Of a loaded object that was configured by the plan. It counts nothing before <see cref="State"/> says so.</summary>
    public EventCounts(BpfObject bpfObject, CountPlan plan)
    {
        _object = bpfObject;
        Plan = plan;
        // Found once: all modules are switched by one store each, with nothing between them.
        _state = (uint*)Unsafe.AsPointer(ref bpfObject.Global<uint>("veil_count_state"));
        _turn = (uint*)Unsafe.AsPointer(ref bpfObject.Global<uint>("veil_count_turn"));
        _running = (ulong*)Unsafe.AsPointer(ref bpfObject.Global<Running>("veil_count_running"));
    }

    /// <summary>What is counted.</summary>
    public CountPlan Plan { get; }

    /// <summary>What becomes of events from now on.</summary>
    public CountState State
    {
        set => Volatile.Write(ref *_state, (uint)value);
    }

    /// <summary>Has the programs count in the other set of maps from now on.</summary>
    public void Turn() => Volatile.Write(ref *_turn, *_turn ^ 1);

    /// <summary>Has every program left the set that was turned away from? Then nothing is added to it any more.</summary>
    public bool IsQuiet => ProgramsIn(*_turn ^ 1) == 0;

    /// <summary>Is no program counting at all?</summary>
    public bool IsIdle => ProgramsIn(0) + ProgramsIn(1) == 0;

    /// <summary>Events that came in pauses so far.</summary>
    public ulong DroppedPaused
    {
        get
        {
            var rests = new BpfPerCpuArray<ulong>(_object.Map("veil_rests"));
            return _pausedTaken + Sum(rests, 0, CountRest.Paused) + Sum(rests, 1, CountRest.Paused);
        }
    }

    /// <summary>Has nothing been counted since the sets were last taken? What came in a pause is not counted.</summary>
    public bool IsEmpty
    {
        get
        {
            var rests = new BpfPerCpuArray<ulong>(_object.Map("veil_rests"));
            bool isEmpty = true;
            for (int turn = 0; turn < (Plan.InTurns ? 2 : 1); turn++)
            {
                isEmpty &= Sum(rests, turn, CountRest.NoField) == 0;
                isEmpty &= !new BpfPerCpuSums(_object.Map($"veil_counts_{turn}")).HasKeys();
                if (Plan.HasSmall)
                    new BpfPerCpuSums(_object.Map($"veil_small_{turn}"))
                        .Visit(remove: false, (_, sums) => isEmpty &= !sums.ContainsAnyExcept(0ul));
            }

            return isEmpty;
        }
    }

    /// <summary>Takes what is in the set that was turned away from, and leaves it empty for its next turn.</summary>
    public CountedEvents TakeOther() => Take((int)(*_turn ^ 1));

    /// <summary>Takes what is in the set that is, or was, counted in.</summary>
    public CountedEvents TakeCurrent() => Take((int)*_turn);

    /// <summary>Shows what is in all sets, which stays there. A set that programs leave right now may lack their last events.</summary>
    public void Look(CountSeries series)
    {
        for (int turn = 0; turn < (Plan.InTurns ? 2 : 1); turn++)
            series.Look(Plan, Read(turn, takes: false, series));
    }

    // A set of its own turn is emptied; the only one goes on growing, and is taken once.
    private CountedEvents Take(int turn)
    {
        var counted = Read(turn, takes: Plan.InTurns);
        if (Plan.InTurns)
            _pausedTaken += counted.Paused;
        return counted;
    }

    // What the series knows by its key goes there at once, and is not among what comes back.
    private CountedEvents Read(int turn, bool takes, CountSeries? series = null)
    {
        const int smallKeyBytes = sizeof(ulong);
        var keys = new List<(byte[] Key, CountTotals Totals)>();
        byte[] small = new byte[smallKeyBytes];
        SumsOf($"veil_counts_{turn}").Visit(remove: takes, Add);
        if (Plan.HasSmall)
        {
            ReadArray($"veil_small_{turn}", takes, static _ => true, (key, words) =>
            {
                key.CopyTo(small);
                Add(small, words);
            });
        }

        var others = new CountTotals(new ulong[Plan.Slots]);
        ReadArray("veil_others", takes, key => BinaryPrimitives.ReadInt32LittleEndian(key) == turn, (_, words) => others.Add(words));

        // What they are counted by is the id.
        foreach (var stack in Plan.Keys.Where(static key => key.Field.Value.Is<StackKind>()))
            StackMap.Read(_object, keys.Select(key => BinaryPrimitives.ReadUInt64LittleEndian(stack.Of(key.Key))));

        var rests = new BpfPerCpuArray<ulong>(_object.Map("veil_rests"));
        return new CountedEvents(
            keys, others, ReadOne(rests, turn, CountRest.NoField, takes), ReadOne(rests, turn, CountRest.Paused, takes));

        void Add(ReadOnlySpan<byte> key, ReadOnlySpan<ulong> words)
        {
            if (series?.TryLook(Plan, key, words) != true)
                keys.Add((key.ToArray(), TotalsOf(words)));
        }
    }

    private BpfPerCpuSums SumsOf(string map) => new(_object.Map(map), CountTotals.MostPlace(Plan.Slots));

    private CountTotals TotalsOf(ReadOnlySpan<ulong> words) => CountTotals.Of(words, Plan.Slots);

    // An array always holds all of its keys.
    private void ReadArray(string name, bool takes, KeyTest isWanted, BpfPerCpuSums.Visitor take)
    {
        var map = SumsOf(name);
        map.Visit(remove: false, (key, words) =>
        {
            if (!isWanted(key) || !words.ContainsAnyExcept(0ul))
                return;
            take(key, words);
            if (takes)
                map.Clear(key);
        });
    }

    private delegate bool KeyTest(ReadOnlySpan<byte> key);

    private static ulong ReadOne(BpfPerCpuArray<ulong> counts, int turn, CountRest rest, bool takes)
    {
        ulong sum = Sum(counts, turn, rest);
        if (takes && sum != 0)
            counts.Write(PlaceOf(turn, rest), new ulong[KernelFeatures.PossibleCpuCount]);
        return sum;
    }

    private static int PlaceOf(int turn, CountRest rest) => (turn * (int)CountRest.Rests) + (int)rest;

    private static ulong Sum(BpfPerCpuArray<ulong> counts, int turn, CountRest rest)
    {
        ulong[] perCpu = new ulong[KernelFeatures.PossibleCpuCount];
        counts.Read(PlaceOf(turn, rest), perCpu);
        ulong sum = 0;
        foreach (ulong count in perCpu)
            sum += count;
        return sum;
    }

    // Each of them is right at its time, and none grows after the turn but by programs that look again and go on to the other set.
    private ulong ProgramsIn(uint turn)
    {
        // The turn's store comes before these loads on every CPU, or a program that saw the old one would not be seen here.
        Interlocked.MemoryBarrier();
        ulong programs = 0;
        for (int shard = 0; shard < Running.Shards; shard++)
            programs += Volatile.Read(ref _running[((int)turn * Running.Shards + shard) * Running.Words]);
        return programs;
    }

    // struct veil_count_running [2][VEIL_COUNT_SHARDS]
    [StructLayout(LayoutKind.Sequential, Size = 2 * Shards * Words * sizeof(ulong))]
    internal struct Running
    {
        public const int Shards = 64;
        public const int Words = 8;
    }
}

/// <summary>What becomes of an event (<c>enum veil_count_state</c>).</summary>
internal enum CountState
{
    /// <summary>Counting has not begun, or has ended.</summary>
    Idle,

    /// <summary>It is counted by its key.</summary>
    Active,

    /// <summary>It is dropped, and counted as that.</summary>
    Drop,
}

/// <summary>Events that are in no sum (<c>enum veil_count_rest</c>).</summary>
internal enum CountRest
{
    /// <summary>They are of a kind that lacks the field.</summary>
    NoField,

    /// <summary>They came while the trace was paused.</summary>
    Paused,

    /// <summary>How many there are.</summary>
    Rests,
}

/// <summary>What was counted.</summary>
/// <param name="Keys">Each key's bytes with what is known of its events.</param>
/// <param name="Others">Events whose key found no room.</param>
/// <param name="NoField">Events of a kind that lacks a field.</param>
/// <param name="Paused">Events that came while the trace was paused.</param>
internal sealed record CountedEvents(List<(byte[] Key, CountTotals Totals)> Keys, CountTotals Others, ulong NoField, ulong Paused)
{
    /// <summary>All that were counted.</summary>
    public ulong Total => Keys.Aggregate(Others.Count + NoField, static (total, key) => total + key.Totals.Count);
}
