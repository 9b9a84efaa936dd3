// SPDX-License-Identifier: GPL-3.0-only
using System.Numerics;
using Veil.Bpf;

namespace Veil.Core.Sources;

/// <summary>
/// The rings that all programs of a session write to: one, or where there are many CPUs several, each for some of them, because a ring has
/// a lock that its writers take in turn. Owns them.
/// </summary>
internal sealed class EventRings : IDisposable
{
    /// <summary>From so many CPUs on there is more than one ring, where nothing else is asked for.</summary>
    public const int CpusForSeveral = 8;

    private const int RingBytesMin = 64 * 1024;
    private const int RingBytesByChoice = 1024 * 1024;

    private readonly List<BpfMapHandle> _maps = [];
    private readonly BpfMapHandle? _all;
    private RingBuffer[] _readers = [];

    /// <summary>Makes the rings.</summary>
    /// <param name="bytes">Memory of all of them together, a power of two.</param>
    /// <param name="wanted">How many; none: what suits the CPUs.</param>
    public EventRings(int bytes, int? wanted = null)
    {
        int count = CountFor(bytes, wanted, KernelFeatures.PossibleCpuCount);
        BytesEach = (int)(BitOperations.RoundUpToPowerOf2((uint)(bytes / count) + 1) / 2);
        try
        {
            for (int number = 0; number < count; number++)
                _maps.Add(RingBuffer.CreateMap(BytesEach));
            if (count > 1)
                _all = BpfMap.CreateArrayOfMaps("veil_rings", _maps);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>How many there are.</summary>
    public int Count => _maps.Count;

    /// <summary>Bytes of each.</summary>
    public int BytesEach { get; }

    /// <summary>The readers, once they are <see cref="Map"/>ped.</summary>
    public RingBuffer[] Readers => _readers;

    /// <summary>All of them together, now.</summary>
    public RingUse Use => new(Count * BytesEach, Count, _readers.Sum(static ring => ring.PendingBytes));

    /// <summary>At most one a CPU; by choice powers of two of at least 1 MiB, and one alone on few CPUs.</summary>
    internal static int CountFor(int bytes, int? wanted, int cpus)
    {
        if (wanted is { } given)
            return Math.Clamp(Math.Min(given, bytes / RingBytesMin), 1, cpus);
        return cpus < CpusForSeveral ? 1
            : (int)Math.Max(1, BitOperations.RoundUpToPowerOf2((uint)Math.Min(cpus, bytes / RingBytesByChoice) + 1) / 2);
    }

    /// <summary>Has an object that is not loaded yet write to them.</summary>
    public void Give(BpfObject bpfObject)
    {
        bpfObject.SetGlobal("veil_ring_count", (uint)Count);
        bpfObject.SetGlobal("veil_wakeup_interval", (ulong)Math.Max(BytesEach / 8, 512));
        bpfObject.Map("veil_ring").ReuseFd(_maps[0]);
        // With one ring no program gets to the others, and there need be none.
        if (_all is null)
            bpfObject.Map("veil_rings").SetAutoCreate(false);
        else
            bpfObject.Map("veil_rings").ReuseFd(_all);
    }

    /// <summary>Maps them into memory for reading.</summary>
    public void Map() => _readers = [.. _maps.Select(map => new RingBuffer(map, BytesEach))];

    public void Dispose()
    {
        foreach (var reader in _readers)
            reader.Dispose();
        _all?.Dispose();
        foreach (var map in _maps)
            map.Dispose();
    }
}
