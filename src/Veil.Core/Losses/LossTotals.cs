// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Losses;

/// <summary>All losses of a trace so far. Added to by one thread, asked by any.</summary>
internal sealed class LossTotals : ILossObserver
{
    private readonly SortedDictionary<LossKey, LossCount> _lost = new(Comparer<LossKey>.Create(static (one, other) =>
        string.CompareOrdinal(one.Module, other.Module) is var order and not 0 ? order : string.CompareOrdinal(one.Cause, other.Cause)));

    void ILossObserver.Lost(LossKey key, LossCount lost) => Add(key, lost);

    /// <summary>Adds what was lost since the last time. The users are copied.</summary>
    public void Add(LossKey key, LossCount lost)
    {
        lock (_lost)
            _lost[key] = (_lost.TryGetValue(key, out var before) ? before : new LossCount(0, [])).Plus(lost.Count, lost.Users);
    }

    /// <summary>All, in the order of modules and causes.</summary>
    public IReadOnlyList<KeyValuePair<LossKey, LossCount>> All()
    {
        lock (_lost)
            return [.. _lost];
    }

    /// <summary>Those of one module, by cause.</summary>
    public IReadOnlyDictionary<string, LossCount> Of(string module)
    {
        lock (_lost)
            return _lost.Where(entry => entry.Key.Module == module)
                .ToDictionary(static entry => entry.Key.Cause, static entry => entry.Value);
    }
}
