// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;
using Veil.Core.Filters;

namespace Veil.Core.Modules;

/// <summary>A filter by path that the kernel has no room for: deny before allow, as there. Of two paths either may match.</summary>
/// <param name="flag">The flag that asks for it, with its dashes.</param>
/// <param name="automaton">What it compares with.</param>
/// <param name="paths">The paths of an event.</param>
public sealed class PathFilter(string flag, PathAutomaton automaton, IEnumerable<EventValue> paths) : EventFilter
{
    private readonly EventValue[] _paths = [.. paths];

    /// <inheritdoc/>
    public override string Flag => flag;

    /// <inheritdoc/>
    public override bool Passes(ref EventView view)
    {
        var bits = FilterBits.None;
        foreach (var value in _paths)
        {
            var part = value.PartOf(view.Record);
            if (part.Length == 0)
                continue;
            bits |= automaton.Find(part.Of(view.Record));
            // A file whose name is gone is still the one that was meant.
            if (part.IsDeleted)
                bits |= automaton.Find(part.NameOf(view.Record));
        }

        return automaton.Passes(bits);
    }
}
