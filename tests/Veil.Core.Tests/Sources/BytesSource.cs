// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using Veil.Core.Budgets;
using Veil.Core.Counting;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Losses;
using Veil.Core.Modules;
using Veil.Core.Pipeline;
using Veil.Core.Sources;
using Veil.Core.Tests.Events;
using Veil.Core.Tests.Sinks;

namespace Veil.Core.Tests.Sources;

/// <summary>Records and losses in their order, as a file has them. It needs no kernel and no rights.</summary>
/// <param name="isLive">It waits for the stop, as a kernel does; else it ends when it has given all.</param>
/// <param name="keysMax">How many keys the name filter has room for.</param>
/// <param name="filter">The module's filter in userspace, or none.</param>
internal sealed class BytesSource(bool isLive = false, int keysMax = int.MaxValue, EventFilter? filter = null) : IEventSource
{
    private readonly Queue<object> _stream = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private IReadOnlyList<TracedModule>? _modules;

    /// <summary>What a program would find.</summary>
    public MemoryFilter Pids { get; } = new(4);

    /// <summary>The same of names.</summary>
    public MemoryFilter Names { get; } = new(16, keysMax);

    public bool IsDetached { get; private set; }

    public bool IsDisposed { get; private set; }

    public EventCatalog Events { get; } = SyscallObject.Events(0);

    public IReadOnlyList<TracedModule> Modules => _modules ??=
        [new TracedModule(
            new SyscallObject.Module(filter), "bytes",
            [new FilterMap(new PidDimension(), Pids), new FilterMap(new NameDimension(), Names)], [("errno", "returns")])];

    public IReadOnlyList<EventCounts> Counts => [];

    public RingUse? Rings => null;

    public IReadOnlyCollection<int> PollFds => [];

    public int WaitMs => 0;

    public bool HasEnded => !isLive && _stream.Count == 0;

    /// <summary>How many CPUs its programs take.</summary>
    public double Cpus { get; init; }

    /// <summary>It gives one more call each time that it is asked.</summary>
    public bool Flows { get; init; }

    /// <summary>What it was told to send, one after the other.</summary>
    public List<SampleRate> Rates { get; } = [];

    public ulong RunTimeNs => (ulong)(Cpus * _clock.Elapsed.TotalNanoseconds);

    /// <summary>Some from the first step on.</summary>
    public ulong LeftOutOf(int module) => Rates.Count == 0 ? 0 : 1_000ul;

    public void Sample(SampleRate rate) => Rates.Add(rate);

    /// <summary>Adds calls of threads of these names.</summary>
    public BytesSource Calls(params IEnumerable<string> comms)
    {
        foreach (string comm in comms)
            Record(SinkTests.Call(comm, 812, 257, 0));
        return this;
    }

    /// <summary>Adds any bytes as a record.</summary>
    public BytesSource Record(byte[] record)
    {
        _stream.Enqueue(record);
        return this;
    }

    /// <summary>Adds a loss.</summary>
    public BytesSource Loss(string cause, ulong count)
    {
        _stream.Enqueue(new KeyValuePair<LossKey, LossCount>(new("syscall", cause), new LossCount(count, [])));
        return this;
    }

    /// <summary>Adds what a trace with a budget tells.</summary>
    public BytesSource Notice(BudgetNotice notice)
    {
        _stream.Enqueue(notice);
        return this;
    }

    public void Drain(EventPipeline pipeline, bool last)
    {
        if (Flows)
            Calls("flow");
        while (!pipeline.IsComplete && _stream.TryDequeue(out object? next))
        {
            if (next is KeyValuePair<LossKey, LossCount> loss)
                pipeline.Lost(loss.Key, loss.Value);
            else if (next is BudgetNotice notice)
                pipeline.Tell(notice);
            else
                pipeline.Deliver((byte[])next);
        }
    }

    public ulong Discard()
    {
        ulong count = (ulong)_stream.Count(static next => next is byte[]);
        _stream.Clear();
        return count;
    }

    public void ReportLosses(EventPipeline pipeline)
    {
    }

    public void Detach() => IsDetached = true;

    public SourceCost? Cost() => null;

    public void Dispose() => IsDisposed = true;
}
