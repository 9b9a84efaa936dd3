// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Formats;

/// <summary>A thread on a time line: which of its slices stand inside others. They come in the order of their ends, those inside before
/// those around them.</summary>
/// <param name="id">What the format calls it.</param>
/// <param name="process">Its process.</param>
/// <param name="tid">Its id.</param>
internal sealed class ThreadLane(ulong id, ProcessLane process, uint tid)
{
    // What lies further back has ended long before anything that still comes begins, or is part of it.
    private const int Remembered = 64;

    private readonly List<(ulong Start, ulong End)> _done = new(4);

    public ulong Id => id;

    public ProcessLane Process => process;

    public uint Tid => tid;

    /// <summary>Its name as it was last written: the bytes of a record.</summary>
    public byte[] Name { get; set; } = [];

    /// <summary>Can a slice stand on it? Not where it begins within another one and ends after that, and not where it begins with one that
    /// was written before, inside which it would seem to be.</summary>
    public bool TryAdd(ulong start, ulong end)
    {
        int inside = _done.Count;
        while (inside > 0 && _done[inside - 1].Start >= start)
            inside--;
        if ((inside < _done.Count && _done[inside].Start == start && start != end) || (inside > 0 && _done[inside - 1].End > start))
            return false;
        _done.RemoveRange(inside, _done.Count - inside);
        if (_done.Count == Remembered)
            _done.RemoveAt(0);
        _done.Add((start, end));
        return true;
    }
}
