// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using Veil.Core.Counting;
using Veil.Core.Enrichers;
using Veil.Core.Hints;
using Veil.Core.Losses;
using Veil.Core.Modules;
using Veil.Core.Options;
using Veil.Core.Output;
using Veil.Core.Pipeline;
using Veil.Core.Privileged;
using Veil.Core.Recordings;
using Veil.Core.Running;
using Veil.Core.Sinks;
using Veil.Core.Sources;
using Veil.Core.Waiting;

namespace Veil.Core.Session;

/// <summary>
/// A trace from its source to the summary. One thread does it all: it waits for the source, takes what is there through the pipeline, and
/// waits again.
/// </summary>
public sealed class TraceSession : IDisposable
{
    private const int LossReportEveryMs = 1_000;

    private readonly SessionOptions _options;
    private readonly StopSignal _stop;
    private readonly Action<string> _message;
    private readonly RootClient? _root;
    private readonly Recorder? _recorder;
    private readonly IEventSource _source;
    private readonly EventPipeline _pipeline;
    private readonly CountIntervals? _counts;
    private readonly TracedCommand? _command;
    private readonly IExport? _export;
    private readonly BudgetWatch? _budget;
    private readonly WaitSet _wait;
    private readonly List<RateMeter> _rates;
    private readonly long _startedAt;
    private SilenceHint? _silence;
    private long _silentSince;
    private long _pausedAt;
    private long _batches; // begun and ended: odd while there is one
    private TimeSpan? _duration;

    /// <summary>Begins the trace of a source that is running. Owns the source from then on.</summary>
    /// <param name="source">Where events come from.</param>
    /// <param name="outputs">Where they go: at least one.</param>
    /// <param name="options">What else the trace was told.</param>
    /// <param name="stop">Ends the trace.</param>
    /// <param name="message">Takes a line for the user.</param>
    /// <param name="root">The helper process that does later what needs root; none where nothing does.</param>
    /// <param name="silence">Says why nothing comes; none: nobody does.</param>
    /// <param name="command">The command whose end is that of the trace; or none.</param>
    /// <param name="recorder">Records what comes; or none.</param>
    /// <param name="export">What takes the events beside the outputs; or none.</param>
    internal TraceSession(
        IEventSource source, IReadOnlyList<TraceOutput> outputs, SessionOptions options, StopSignal stop, Action<string> message,
        RootClient? root = null, SilenceHint? silence = null, TracedCommand? command = null, Recorder? recorder = null,
        IExport? export = null)
    {
        _recorder = recorder;
        _export = export;
        _source = source;
        _options = options;
        _stop = stop;
        _message = message;
        _root = root;
        _silence = silence;
        _command = command;
        _rates = [.. source.Modules.Select(static _ => new RateMeter())];
        _pipeline =
            EventPipeline.To(
            options.CountingSent is null ? outputs : [], source.Events,
            ModuleEvents.Filters(source.Modules.Select(static module => module.Module), source.Events), options.EventsMax, message,
            source.Names ?? new CurrentNames(root), OtherSinks(outputs),
            options.Output.Enrichments | (options.CountingSent is null && recorder is null ? Enrichments.None : Recorder.Always));
        if (options.Budget is { } budget)
        {
            _budget = new BudgetWatch(source, _pipeline, budget, options.Samples);
            _pipeline.Beat = _budget.Step;
        }

        if (options.Counting is { } counting)
            _counts =
                new CountIntervals(
                source.Counts,
                options.CountSink is { } sink ? [sink] : [.. outputs.Select(output => new CountReport(counting, output.Options, output.Output))],
                counting.Interval, source.Look, counting.IsExported ? counting.Keys : 0);
        _wait = new WaitSet(
            command is { PollFd: >= 0 and var end } ? [.. source.PollFds, end]
            : source.PollFds, stop.PollFd, outputs.Select(static output => output.Output.WatchFd));
        _counts?.Begin();
        _startedAt = _silentSince = Stopwatch.GetTimestamp();
    }

    /// <summary>The modules, each with the hook that it is attached by.</summary>
    public IReadOnlyList<TracedModule> Modules => _source.Modules;

    /// <summary>Drops events instead of showing them, or shows them again. From any thread.</summary>
    public bool Paused
    {
        get => _pipeline.Paused;
        set
        {
            if (value != _pipeline.Paused)
                Volatile.Write(ref _pausedAt, Stopwatch.GetTimestamp());
            _pipeline.Paused = value;
            if (_counts is { } counts)
                counts.Paused = value;
        }
    }

    /// <summary>Waits until the events that were taken before a pause are written, or the output takes too long. From another
    /// thread.</summary>
    public void Settle()
    {
        const int patienceMs = 1_000;
        long seen = Interlocked.Read(ref _batches), until = Environment.TickCount64 + patienceMs;
        while (seen % 2 != 0 && Interlocked.Read(ref _batches) == seen && Environment.TickCount64 < until)
            Thread.Sleep(1);
    }

    /// <summary>What it did so far; losses are those up to the last whole second, the rate is that of the last five. From any
    /// thread.</summary>
    public SessionStatus Status() => new()
    {
        Paused = _pipeline.Paused,
        PausedFor = _pipeline.Paused ? Stopwatch.GetElapsedTime(Volatile.Read(ref _pausedAt)) : null,
        DroppedPaused = DroppedPaused,
        DroppedByFilter = _pipeline.DroppedByFilter,
        FilterFlag = _pipeline.FilterFlag,
        EventsPerSecond = _counts is null ? _rates.Aggregate((ulong?)0, static (sum, rate) => sum + rate.PerSecond) : null,
        Rings = _source.Rings,
        Duration = Stopwatch.GetElapsedTime(_startedAt),
        Cost = Cost(),
        Budget = _budget?.Status,
        Lost = _pipeline.Losses.All(),
        Modules = [.. _source.Modules.Select((module, number) => StatusOf(module, number))],
    };

    /// <summary>What it costs so far; nothing where that is not measured. From any thread.</summary>
    public SessionCost? Cost() => _source.Cost() is { } cost
        ? new SessionCost(
            cost.Programs, SessionCost.ProcessCpu, Environment.WorkingSet, cost.MapBytes, Stopwatch.GetElapsedTime(_startedAt))
        : null;

    /// <summary>Hands over what was counted since the beginning. From any thread.</summary>
    internal void ReadSeries(Action<IEnumerable<CountSeries>> read) => _counts?.ReadSeries(read);

    /// <summary>Has what a flight recorder keeps written; see <see cref="Recorder"/>.</summary>
    internal (bool Succeeded, string Text)? Dump(int fd, int waitMs) => _recorder is { } recorder ? recorder.Dump("control", fd, waitMs)
        : throw new UsageException("dump: nothing is kept in memory; a trace does that with --flight SIZE --record FILE");

    /// <summary>Called each time that what was there has been read and handed on.</summary>
    public Action? Beat { get; set; }

    /// <summary>Events before this time (CLOCK_BOOTTIME) are another trace's. Before <see cref="Run"/>.</summary>
    public void TakeFrom(ulong timestampNs) => _pipeline.TakeFrom(timestampNs);

    /// <summary>Events from this time on are another trace's. From any thread.</summary>
    public void TakeUntil(ulong timestampNs) => _pipeline.TakeUntil(timestampNs);

    /// <summary>Asks for the end, as a signal does.</summary>
    public void RequestStop() => _stop.Request();

    /// <summary>
    /// Delivers events until the stop, then detaches, delivers what is left, and sums up. An output that fails ends it too: what could not
    /// be written is counted, and the summary carries the failure.
    /// </summary>
    /// <param name="beforeLast">Called once the trace is to end, before what is left is written.</param>
    public SessionSummary Run(Action? beforeLast = null)
    {
        if (_options.Duration is { } duration)
            _stop.RequestAfter(duration - Stopwatch.GetElapsedTime(_startedAt));
        long allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        OutputException? failure = null;
        try
        {
            Deliver(beforeLast);
        }
        catch (OutputException failed)
        {
            failure = failed;
        }

        Detach();
        try
        {
            _pipeline.End();
        }
        catch (OutputException failed)
        {
            failure ??= failed;
        }

        _recorder?.ReportLosses(_pipeline.Losses, _message);
        _export?.TakeLosses(_pipeline.Losses.Add);
        if (failure is not null)
        {
            ulong undelivered = _pipeline.Taken - _pipeline.DroppedPaused - _pipeline.Delivered + _source.Discard();
            if (undelivered > 0)
                _pipeline.Losses.Add(new(LossCause.Output, LossCause.NotWritten), new LossCount(undelivered, []));
        }

        AllocatedBytes = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore;
        return new SessionSummary
        {
            Delivered = _pipeline.Delivered,
            Counted = _counts?.Counted ?? (_options.CountingSent is null ? null : _pipeline.Delivered),
            DroppedByFilter = _pipeline.DroppedByFilter,
            DroppedByName = _pipeline.DroppedByName,
            FilterFlag = _pipeline.FilterFlag,
            DroppedPaused = DroppedPaused,
            Duration = _duration!.Value,
            Lost = _pipeline.Losses.All(),
            LeftOut = LeftOutByModule(),
            Failure = failure,
        };
    }

    /// <summary>Bytes that the reading thread allocated on the managed heap during <see cref="Run"/>.</summary>
    public long AllocatedBytes { get; private set; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _source.Dispose();
        _wait.Dispose();
    }

    private List<IEventSink> OtherSinks(IReadOnlyList<TraceOutput> outputs)
    {
        var sinks = new List<IEventSink>();
        if (_options.CountingSent is { } counting)
        {
            sinks.Add(
                new EventCounter(
                counting, [.. _source.Modules.Select(static module => module.Module)], _source.Events,
                [.. outputs.Select(static output => (output.Options, output.Output))]));
        }

        if (_recorder is { } recorder)
            sinks.Add(recorder.Begin(_source, _options, _root, _message));
        if (_export is { } export)
            sinks.Add(export.Begin(_source.Events, _options.Output, _stop));
        return sinks;
    }

    private ulong DroppedPaused => _pipeline.DroppedPaused + (_counts?.DroppedPaused ?? 0);

    // With all that passed, where the events are those of a trace; of a recording some were chosen.
    private List<(string Module, ulong LeftOut, ulong? Seen)> LeftOutByModule() =>
        [.. _pipeline.LeftOut.Select(module => (module.Key, module.Value, _budget is null ? (ulong?)null : module.Value + TakenOf(module.Key)))];

    private ulong TakenOf(string module) => _source.Modules.Index().Where(traced => traced.Item.Module.Name == module)
        .Aggregate(0ul, (sum, traced) => sum + _pipeline.TakenOf(traced.Index));

    private ModuleStatus StatusOf(TracedModule module, int number)
    {
        ulong droppedPaused = _pipeline.DroppedPausedOf(number);
        return new ModuleStatus(
            module.Module.Name, module.Hook,
            _pipeline.TakenOf(number) - droppedPaused,
            droppedPaused + (_counts?.DroppedPausedOf(number) ?? 0),
            _counts is null ? _rates[number].PerSecond : null,
            _pipeline.Losses.Of(module.Module.Name), module.Filters)
        {
            Counting = _counts is null ? null : _source.Counts[number].Plan.Text,
        };
    }

    private void Deliver(Action? beforeLast)
    {
        long lossesReportedAt = Environment.TickCount64;
        FeedRates();
        while (!_stop.IsRequested && !_pipeline.IsComplete && !_source.HasEnded && _command?.IsOver(_stop) != true)
        {
            int waitMs = _source.WaitMs;
            if (_counts is not null)
                waitMs = Math.Min(waitMs, _counts.Step());
            if (!_wait.Wait(waitMs))
                throw new OutputException("writing the output: the reader closed it", closedByReader: true);
            Drain(last: false);
            _budget?.Step();
            Beat?.Invoke();
            if (Environment.TickCount64 - lossesReportedAt >= LossReportEveryMs)
            {
                lossesReportedAt = Environment.TickCount64;
                ReportLosses();
                FeedRates();
                ExplainSilence();
                _root?.Watch();
            }
        }

        // Who asked for so many events has them all: what the kernel could not keep of the rest is no loss.
        bool isComplete = _pipeline.IsComplete;
        if (isComplete)
            ReportLosses();
        Detach();
        beforeLast?.Invoke();
        Drain(last: true);
        if (!isComplete)
            ReportLosses();
        _budget?.End();
        _pipeline.Flush();
        _counts?.PrintLast();
    }

    private void Drain(bool last)
    {
        // Whoever sees an even number after a pause knows that the next batch sees the pause.
        Interlocked.Increment(ref _batches);
        _source.Drain(_pipeline, last);
        _pipeline.Flush();
        Interlocked.Increment(ref _batches);
    }

    // Once, and only where nothing has come since the beginning. A pause is a silence that was asked for, and may have a prompt on the
    // screen.
    private void ExplainSilence()
    {
        if (_silence is null)
            return;
        if (_pipeline.Paused)
            _silentSince = Stopwatch.GetTimestamp();
        bool isSilent = _pipeline.Taken == 0;
        if (isSilent && Stopwatch.GetElapsedTime(_silentSince).TotalMilliseconds < SilenceHint.AfterMs)
            return;
        if (isSilent && _counts?.IsEmpty != false
            && _silence.Explain(_source.Modules, _pipeline.DroppedByFilter, _pipeline.FilterFlag) is { } hint)
            _message(hint);
        _silence = null;
    }

    private void FeedRates()
    {
        for (int number = 0; number < _rates.Count; number++)
            _rates[number].Feed(Environment.TickCount64, _pipeline.TakenOf(number));
    }

    // Counting ends at one moment, events with the last hook; both before what is left is delivered, which may take long.
    private void Detach()
    {
        if (_duration is not null)
            return;
        _counts?.End();
        _source.Detach();
        _duration = _counts?.Duration ?? Stopwatch.GetElapsedTime(_startedAt);
    }

    private void ReportLosses()
    {
        _source.ReportLosses(_pipeline);
        _recorder?.ReportLosses(_pipeline, _message);
        _pipeline.ReportDamaged();
        _export?.TakeLosses(_pipeline.LostByExport);
    }
}
