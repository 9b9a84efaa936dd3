using Veil.Bpf;
using Veil.Core.Interop;

namespace Veil.Core.Counting;

/// <summary>The counts of one module in the kernel.</summary>
internal sealed class EventCounts
{
    private const int MapFull = 0; // enum veil_count_rest
    private const int NoField = 1;
    private const int Paused = 2;
    private const int Rests = 3;

    private readonly BpfObject _object;
    private uint _turn;

    /// <summary>Of a loaded object that was configured by the plan.</summary>
    public EventCounts(BpfObject bpfObject, CountPlan plan)
    {
        _object = bpfObject;
        Plan = plan;
    }

    /// <summary>What is counted.</summary>
    public CountPlan Plan { get; }

    /// <summary>Drops and counts what comes, or counts it by its key again. From any thread.</summary>
    public bool IsPaused
    {
        get => Volatile.Read(ref _object.Global<bool>("veil_count_paused"));
        set => Volatile.Write(ref _object.Global<bool>("veil_count_paused"), value);
    }

    /// <summary>
    /// What was counted since the last call. With an interval the programs go on in the other set of maps first, so nothing is counted
    /// twice and nothing is left out.
    /// </summary>
    public CountedEvents Take()
    {
        uint turn = _turn;
        if (Plan.InTurns)
        {
            _turn ^= 1;
            Volatile.Write(ref _object.Global<uint>("veil_count_turn"), _turn);
            GracePeriod.Wait();
        }

        var keys = new List<(byte[] Key, ulong[] Slots)>();
        new BpfPerCpuSums(_object.Map($"veil_counts_{turn}")).Visit(remove: Plan.InTurns, (key, sums) => keys.Add((key.ToArray(), sums)));
        if (Plan.HasSmall)
        {
            var small = new BpfPerCpuSums(_object.Map($"veil_small_counts_{turn}"));
            small.Visit(remove: false, (key, sums) =>
            {
                if (!Array.Exists(sums, static sum => sum != 0))
                    return;
                keys.Add(([.. key, 0, 0, 0, 0], sums));
                if (Plan.InTurns)
                    small.Clear(key);
            });
        }

        var rests = new BpfPerCpuArray<ulong>(_object.Map("veil_count_rests"));
        int first = (int)turn * Rests;
        return new CountedEvents(keys, TakeOne(rests, first + MapFull), TakeOne(rests, first + NoField), TakeOne(rests, first + Paused));
    }

    // A set of its own turn is emptied; the only one goes on growing, and is read once.
    private ulong TakeOne(BpfPerCpuArray<ulong> counts, int index)
    {
        var perCpu = new ulong[KernelFeatures.PossibleCpuCount];
        counts.Read(index, perCpu);
        ulong sum = 0;
        foreach (ulong count in perCpu)
            sum += count;
        if (Plan.InTurns && sum != 0)
            counts.Write(index, new ulong[perCpu.Length]);
        return sum;
    }
}

/// <summary>What was counted.</summary>
/// <param name="Keys">Each key's bytes with its count, or the slots of its histogram.</param>
/// <param name="MapFull">Events whose key found no room.</param>
/// <param name="NoField">Events of a kind that lacks the field.</param>
/// <param name="Paused">Events that came while the trace was paused.</param>
internal sealed record CountedEvents(List<(byte[] Key, ulong[] Slots)> Keys, ulong MapFull, ulong NoField, ulong Paused)
{
    /// <summary>All that were counted.</summary>
    public ulong Total
    {
        get
        {
            ulong total = MapFull + NoField;
            foreach (var (_, slots) in Keys)
            {
                foreach (ulong count in slots)
                    total += count;
            }

            return total;
        }
    }
}
