// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Budgets;
using Veil.Core.Events;
using Veil.Core.Losses;
using Veil.Core.Output;

namespace Veil.Core.Sinks;

/// <summary>
/// A stage of the pipeline: takes the stream of events with the losses at their place in it, the ends of batches and its own end. Stages
/// compose: each does its part and hands on the rest.
/// </summary>
public interface IEventSink
{
    /// <summary>Events that the output behind it has taken.</summary>
    ulong Delivered { get; }

    /// <summary>Takes one event. The view is valid only during the call.</summary>
    /// <exception cref="OutputException">The output takes no more.</exception>
    void Write(ref EventView view);

    /// <summary>Events were lost here, between the last one and the next. The users are valid during the call.</summary>
    /// <returns>False where its form has no place for that: then somebody else has to say it.</returns>
    /// <exception cref="OutputException">The output takes no more.</exception>
    bool Lost(LossKey key, LossCount lost);

    /// <summary>Which part of the events is sent has changed here, or how many there were is told.</summary>
    /// <returns>False where its form has no place for that: then somebody else has to say it.</returns>
    /// <exception cref="OutputException">The output takes no more.</exception>
    bool Tell(BudgetNotice notice) => false;

    /// <summary>A batch has ended, and it may be long until the next: what was taken goes out now.</summary>
    /// <exception cref="OutputException">The output takes no more.</exception>
    void Flush();

    /// <summary>Nothing more comes. Called once, also after a failure.</summary>
    /// <exception cref="OutputException">The output takes no more.</exception>
    void End();
}
