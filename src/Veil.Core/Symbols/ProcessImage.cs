// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Symbols;

/// <summary>What a process has mapped from one moment on: its start, the start of another program in it, or the first look at it.</summary>
internal sealed class ProcessImage
{
    private List<Mapping> _mappings;
    private int _count;
    private bool _isShared;
    private Mapping[]? _sorted;

    /// <summary>With nothing in it.</summary>
    /// <param name="startNs">From when on it counts.</param>
    /// <param name="isWhole">All that comes is known.</param>
    public ProcessImage(long startNs, bool isWhole)
    {
        (StartNs, IsWhole) = (startNs, isWhole);
        _mappings = [];
    }

    private ProcessImage(long startNs, ProcessImage parent)
    {
        (StartNs, IsWhole, _mappings, _count, _isShared) = (startNs, parent.IsWhole, parent._mappings, parent._count, true);
        LastNs = parent.LastNs;
    }

    /// <summary>From when on it counts.</summary>
    public long StartNs { get; }

    /// <summary>Is all known that it has mapped? Otherwise <c>/proc/PID/maps</c> was not read yet.</summary>
    public bool IsWhole { get; private set; }

    /// <summary>How many mappings it keeps, without those that another keeps for it.</summary>
    public int Kept => _isShared ? 0 : _count;

    private long LastNs { get; set; } = long.MinValue;

    /// <summary>What a child has: the same, kept once until the child maps something.</summary>
    public ProcessImage Fork(long timeNs) => new(timeNs, this);

    /// <summary>Adds what was mapped.</summary>
    public void Add(Mapping mapping)
    {
        if (_isShared)
        {
            _mappings = _mappings.GetRange(0, _count);
            _isShared = false;
        }

        _mappings.Add(mapping);
        _count = _mappings.Count;
        _sorted = null;
        LastNs = Math.Max(LastNs, mapping.TimeNs);
    }

    /// <summary>Adds what <c>/proc/PID/maps</c> tells later: where something was mapped since, what was there before is not
    /// known.</summary>
    public void Complete(IEnumerable<Mapping> mappings)
    {
        var known = _mappings.GetRange(0, _count);
        foreach (var mapping in mappings)
        {
            if (!known.Exists(other => other.Start < mapping.End && mapping.Start < other.End))
                Add(mapping);
        }

        IsWhole = true;
    }

    /// <summary>What an address belonged to at a time.</summary>
    public Mapping? Find(ulong address, long timeNs)
    {
        if (timeNs >= LastNs)
            return FindNow(address);
        Mapping? found = null;
        for (int i = 0; i < _count; i++)
        {
            if (_mappings[i] is var mapping && mapping.TimeNs <= timeNs && mapping.Has(address)
                && (found is null || mapping.TimeNs >= found.TimeNs))
                found = mapping;
        }

        return found;
    }

    private Mapping? FindNow(ulong address)
    {
        _sorted ??= Sort();
        int low = 0, high = _sorted.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_sorted[middle].Start <= address)
                low = middle + 1;
            else
                high = middle;
        }

        return low > 0 && _sorted[low - 1].Has(address) ? _sorted[low - 1] : null;
    }

    // Without those that later ones cover; of what is covered in part the rest stays.
    private Mapping[] Sort()
    {
        var ranges = new List<Mapping>();
        foreach (var added in _mappings.GetRange(0, _count).OrderBy(static mapping => mapping.TimeNs))
        {
            for (int i = ranges.Count - 1; i >= 0; i--)
            {
                var older = ranges[i];
                if (older.Start >= added.End || added.Start >= older.End)
                    continue;
                ranges.RemoveAt(i);
                if (older.Start < added.Start)
                    ranges.Add(older with { End = added.Start });
                if (older.End > added.End)
                    ranges.Add(older with { Start = added.End, Offset = older.Offset + (added.End - older.Start) });
            }

            ranges.Add(added);
        }

        return [.. ranges.OrderBy(static mapping => mapping.Start)];
    }
}
