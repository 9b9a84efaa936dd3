// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Budgets;
using Veil.Core.Counting;
using Veil.Core.Enrichers;
using Veil.Core.Events;
using Veil.Core.Pipeline;

namespace Veil.Core.Sources;

/// <summary>
/// Where events come from: the kernel, or records that were kept. It is running already; disposing gives everything back.
/// </summary>
internal interface IEventSource : IDisposable
{
    /// <summary>The kinds of event that it gives.</summary>
    EventCatalog Events { get; }

    /// <summary>The modules that the events are of, by their numbers.</summary>
    IReadOnlyList<TracedModule> Modules { get; }

    /// <summary>What it counts itself instead of giving events, a module each; empty where it gives them.</summary>
    IReadOnlyList<EventCounts> Counts { get; }

    /// <summary>Who knows what its records do not hold; none: the machine as it is now.</summary>
    EventNames? Names => null;

    /// <summary>The rings that events wait in; nothing where there are none.</summary>
    RingUse? Rings { get; }

    /// <summary>Descriptors that become readable when there is something to take.</summary>
    IReadOnlyCollection<int> PollFds { get; }

    /// <summary>Milliseconds after which to look again although no descriptor is readable.</summary>
    int WaitMs { get; }

    /// <summary>Has it given all that there will ever be? A kernel has not.</summary>
    bool HasEnded { get; }

    /// <summary>Gives what there is now, in order, until the pipeline is complete. Losses that it knows the place of go between the
    /// events.</summary>
    /// <param name="pipeline">What takes it.</param>
    /// <param name="last">Nothing more will come: nothing is held back.</param>
    void Drain(EventPipeline pipeline, bool last);

    /// <summary>Counts what is there, and throws it away: there is no output any more.</summary>
    ulong Discard();

    /// <summary>Tells of the losses that it only has sums of, since the last call.</summary>
    void ReportLosses(EventPipeline pipeline);

    /// <summary>Lets no more events come. What is there already stays.</summary>
    void Detach();

    /// <summary>What it costs so far; nothing where that is not measured. From any thread.</summary>
    SourceCost? Cost();

    /// <summary>CPU time of its programs so far; 0 where that is not measured.</summary>
    ulong RunTimeNs => 0;

    /// <summary>Events of a module that passed and were not sent, so far.</summary>
    /// <param name="module">Its number.</param>
    ulong LeftOutOf(int module) => 0;

    /// <summary>Sends this part of the events from now on.</summary>
    void Sample(SampleRate rate)
    {
    }

    /// <summary>Has what is looked at now and then looked at now, so that a time that ends here is complete.</summary>
    void Look()
    {
    }
}
