// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;
using Veil.Core.Modules;

namespace Veil.Core.Recordings;

/// <summary>The filters of a replay, over one kind of event: what programs decide where events are live.</summary>
internal sealed class RecordedFilter(IEnumerable<EventFilter> parts) : EventFilter
{
    private readonly EventFilter[] _parts = [.. parts];

    public override string Flag => "filters";

    public override bool Passes(ref EventView view)
    {
        foreach (var part in _parts)
        {
            if (!part.Passes(ref view))
                return false;
        }

        return true;
    }
}
