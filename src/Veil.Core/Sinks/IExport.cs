// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;
using Veil.Core.Losses;
using Veil.Core.Waiting;

namespace Veil.Core.Sinks;

/// <summary>What sends events away, beside the outputs. It holds up nothing: what it cannot send it counts.</summary>
public interface IExport
{
    /// <summary>Makes the stage that takes the events.</summary>
    /// <param name="catalog">The events that will come.</param>
    /// <param name="shown">What the output shows of them.</param>
    /// <param name="stop">Asked twice, the end waits for nothing.</param>
    IEventSink Begin(EventCatalog catalog, OutputOptions shown, StopSignal stop);

    /// <summary>Tells of the events that it could not send, since the last call.</summary>
    void TakeLosses(Action<LossKey, LossCount> take);
}
