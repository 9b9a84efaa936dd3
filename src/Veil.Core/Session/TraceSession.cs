using System.Diagnostics;
using Veil.Bpf;
using Veil.Core.Counting;
using Veil.Core.Enrichers;
using Veil.Core.Events;
using Veil.Core.Hints;
using Veil.Core.Interop;
using Veil.Core.Modules;
using Veil.Core.Privileged;
using Veil.Core.Sinks;

namespace Veil.Core.Session;

/// <summary>
/// A trace from attaching to the summary. One thread does it all: it waits for the ring, takes what is there through the
/// pipeline, and waits again.
/// </summary>
public sealed class TraceSession : IDisposable, ILossObserver
{
    // An event waits at most this long for its reader (the contract says 100 ms); a full ring wakes it earlier.
    private const int PollMs = 40;
    private const int HeldMs = (int)(RingMerge.BoundNs / 1_000_000);
    private const int LossReportEveryMs = 1_000;

    // Three shares of a busy CPU to another task's one. auditd asks for nearly the same (priority_boost, auditd.conf(5)).
    private const int ReaderNice = -5;

    private readonly SessionOptions _options;
    private readonly StopSignal _stop;
    private readonly Action<string> _message;
    private readonly RootClient? _root;
    private readonly EventRings _rings;
    private readonly WaitSet _wait;
    private readonly List<AttachedModule> _modules = [];
    private readonly EventReader _reader;
    private readonly PausableSink _pausable;
    private readonly OutputBuffer _buffer;
    private readonly SessionSummary _summary = new();
    private readonly long _startedAt;
    private readonly List<RateMeter> _rates;
    private readonly CountIntervals? _counts;
    private readonly BpfStatistics? _statistics;
    private SilenceHint? _silence;
    private long _silentSince;
    private long _pausedAt;
    private bool _hasEnded;

    private TraceSession(SessionOptions options, EventCatalog events, StopSignal stop, Action<string> message, RootClient? root, OutputFile? file)
    {
        _options = options;
        _stop = stop;
        _message = message;
        _root = root;
        _rates = [.. options.Modules.Select(static _ => new RateMeter())];
        _rings = new EventRings(options.RingBytes, options.Rings);
        // Before the privileges go: it needs CAP_SYS_ADMIN.
        _statistics = options.MeasureCost ? BpfStatistics.Enable() : null;
        try
        {
            var budget = MemoryBudget.Of(options, root is not null, MemoryCgroup.LimitBytes);
            // Whose check takes the kernel much memory for a moment goes first, while the others' maps are not there yet.
            foreach (var (number, module) in options.Modules.Index().OrderByDescending(static module => module.Item.Rungs[0].LoadBytes))
            {
                var plan = options.Counting is null ? null : CountPlan.Of(module, [.. events.Schemas.Where(schema => schema.Kind / EventCatalog.KindsPerModule == number)], options.Counting);
                _modules.Add(AttachedModule.Attach(module, number, options, _rings, plan, (uint)(root?.Pid ?? 0), stop, budget, options.Verbose ? message : static _ => { }));
            }

            var order = options.Modules.ToList();
            _modules.Sort((one, other) => order.IndexOf(one.Module).CompareTo(order.IndexOf(other.Module)));

            // Mapped last: until here the process holds the kernel's BTF, and the two need not be in memory at once.
            _rings.Map();

            file?.Empty();
            int fd = file?.Fd ?? StandardStreams.Output;
            _wait = new WaitSet([.. _rings.Readers.Select(static ring => ring.PollFd)], stop.PollFd, fd);
            var output = new FdOutput(fd, stop);
            if (options.Counting is { } counting)
                _counts = new CountIntervals(_modules.ConvertAll(static module => module.Counts!), new CountReport(counting, options.Output, output), counting.Interval);
            IEventSink sink = LineSink.Create(events, options.Output, output, out _buffer);
            if (options.Output.Enrichments != Enrichments.None)
                sink = new EnrichSink(sink, options.Output.Enrichments, events.Header, root);
            _pausable = new PausableSink(sink, events);
            _reader = new EventReader(_rings.Readers, events, Filters(options.Modules, events), _pausable, _buffer);
            stop.ThrowIfEarly();
        }
        catch
        {
            Dispose();
            throw;
        }

        _counts?.Begin();
        _startedAt = _silentSince = Stopwatch.GetTimestamp();
    }

    /// <summary>Loads and attaches every module, then gives up the privileges that are not needed any more.</summary>
    /// <param name="options">What to trace and show.</param>
    /// <param name="stop">Ends the trace.</param>
    /// <param name="message">Takes a line for the user.</param>
    /// <exception cref="VeilException">Something could not be attached; nothing stays attached.</exception>
    /// <param name="root">The helper process that does later what needs root; none where nothing does.</param>
    /// <param name="file">Where events and counts go; none: standard output.</param>
    public static TraceSession Start(SessionOptions options, StopSignal stop, Action<string> message, RootClient? root = null, OutputFile? file = null)
    {
        var events = EventCatalog.Of(options.Modules, options.ArgumentsOf);
        FieldSelection.Validate(events, options.Output, field => ModuleFields.HintFor(options.Modules, field));
        if (options.Counting is { } counting)
        {
            foreach (var module in options.Modules)
                _ = CountPlan.Of(module, events.Schemas, counting);
        }

        if (!KernelFeatures.HasBtf)
            throw new VeilException("tracing needs the kernel's BTF: /sys/kernel/btf/vmlinux is missing (a kernel built with CONFIG_DEBUG_INFO_BTF has it)");
        Privileges.Require();
        if (!PidNamespace.IsInitial)
            message("warning: this is a PID namespace of its own, and the kernel's ids are those of the host: --pid and the output mean those");
        try
        {
            var session = new TraceSession(options, events, stop, message, root, file);
            // A machine in trouble is often one without a free CPU, and a reader that waits for its turn loses events. Without
            // the right to it (CAP_SYS_NICE) the reader stays what it is.
            _ = LibC.SetPriority(0, 0, ReaderNice);
            session._silence = options.Quiet ? null : SilenceHint.Watch(options);
            session.DropPrivileges(options, message, root);
            foreach (var module in session.Modules.Where(static module => module.MissesUncounted))
                message($"warning: {module.Module.Name} by {module.Rung.Name} can miss events uncounted: before Linux 6.7 a tracepoint's program is skipped in silence while another runs on that CPU");
            return session;
        }
        catch (Exception cause) when (OpenFiles.IsShort(cause))
        {
            throw OpenFiles.Explain(cause, options.Modules.Count);
        }
        catch (BpfException cause)
        {
            throw new VeilException(cause.Message, cause);
        }
    }

    private void DropPrivileges(SessionOptions options, Action<string> message, RootClient? root)
    {
        if (options.MeasureCost)
        {
            foreach (var module in _modules)
                module.PrepareMapBytes();
        }

        if (Environment.GetEnvironmentVariable("VEIL_KEEP_PRIVILEGES") == "1")
            return;
        string held = Privileges.DropForReading(keepUser: root is not null && !root.WaitUntilReady());
        var filter = SystemCallFilter.ForReader(asksForNames: options.TakesCommands || options.Output.Enrichments.HasFlag(Enrichments.User));
        string calls = filter.TryInstall(out string? refusal) ? "a system call filter" : $"no system call filter ({refusal})";
        if (options.Verbose)
            message($"privileges: {held}, {calls}{(root is { Pid: > 0 } ? $"; helper process {root.Pid}" : "")}");
    }

    /// <summary>The modules, each with the hook that it is attached by.</summary>
    public IReadOnlyList<AttachedModule> Modules => _modules;

    /// <summary>Drops events instead of showing them, or shows them again. From any thread.</summary>
    public bool Paused
    {
        get => _pausable.Paused;
        set
        {
            if (value != _pausable.Paused)
                Volatile.Write(ref _pausedAt, Stopwatch.GetTimestamp());
            _pausable.Paused = value;
            if (_counts is { } counts)
                counts.Paused = value;
        }
    }

    /// <summary>What it did so far; losses are those up to the last whole second, the rate is that of the last five. From any thread.</summary>
    public SessionStatus Status() => new()
    {
        Paused = _pausable.Paused,
        PausedFor = _pausable.Paused ? Stopwatch.GetElapsedTime(Volatile.Read(ref _pausedAt)) : null,
        DroppedPaused = _pausable.Dropped + (_counts?.DroppedPaused ?? 0),
        DroppedByFilter = _reader.Dropped,
        EventsPerSecond = _counts is null ? _rates.Aggregate((ulong?)0, static (sum, rate) => sum + rate.PerSecond) : null,
        RingBytes = _rings.Count * _rings.BytesEach,
        Rings = _rings.Count,
        RingPendingBytes = _rings.PendingBytes,
        Duration = Stopwatch.GetElapsedTime(_startedAt),
        Cost = Cost(),
        Modules = [.. _modules.Select((module, number) => new ModuleStatus(
            module.Module.Name, module.Rung.Name, _reader.TakenOf(number) - _pausable.DroppedOf(number), _pausable.DroppedOf(number) + (_counts?.DroppedPausedOf(number) ?? 0), _counts is null ? _rates[number].PerSecond : null, _summary.LostOf(module.Module.Name), module.Filters) { Counting = module.Counts?.Plan.Words })],
    };

    /// <summary>What it costs so far; nothing where that is not measured. From any thread.</summary>
    public SessionCost? Cost()
    {
        const int clockProcessCpu = 2; // CLOCK_PROCESS_CPUTIME_ID
        if (_statistics is null)
            return null;
        return new SessionCost(
            [.. _modules.SelectMany(static module => module.Costs())],
            TimeSpan.FromMicroseconds(LibC.NowNs(clockProcessCpu) / 1_000.0),
            Environment.WorkingSet,
            ((long)_rings.Count * _rings.BytesEach) + _modules.Sum(static module => module.MapBytes()),
            Stopwatch.GetElapsedTime(_startedAt));
    }

    /// <summary>Asks for the end, as a signal does.</summary>
    public void RequestStop() => _stop.Request();

    /// <summary>
    /// Delivers events until the stop, then detaches, delivers what is in the ring already, and sums up. An output that fails ends it
    /// too: what could not be written is counted, and the summary carries the failure.
    /// </summary>
    public SessionSummary Run()
    {
        if (_options.Duration is { } duration)
            _stop.RequestAfter(duration - Stopwatch.GetElapsedTime(_startedAt));
        long allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            Deliver();
        }
        catch (OutputException failure)
        {
            _summary.Failure = failure;
        }

        End();
        if (_summary.Failure is not null)
        {
            ulong undelivered = _reader.Taken - _pausable.Dropped - _buffer.EventsWritten + _reader.Discard();
            if (undelivered > 0)
                _summary.AddLost("output", "not_written", new LossCount(undelivered, []));
        }

        _summary.Delivered = _buffer.EventsWritten;
        _summary.Dropped = _reader.Dropped;
        _summary.DroppedPaused = _pausable.Dropped + (_counts?.DroppedPaused ?? 0);
        _summary.Counted = _counts?.Counted;
        AllocatedBytes = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore;
        return _summary;
    }

    /// <summary>Bytes that the reading thread allocated on the managed heap during <see cref="Run"/>.</summary>
    public long AllocatedBytes { get; private set; }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var module in _modules)
            module.Dispose();
        _modules.Clear();
        _statistics?.Dispose();
        _wait?.Dispose();
        _rings.Dispose();
    }

    private void Deliver()
    {
        long lossesReportedAt = Environment.TickCount64;
        FeedRates();
        while (!_stop.IsRequested && !_buffer.IsComplete)
        {
            int waitMs = _reader.Holds ? HeldMs : PollMs;
            if (_counts is not null)
                waitMs = Math.Min(waitMs, _counts.Step());
            if (!_wait.Wait(waitMs))
                throw new OutputException("writing the output: the reader closed it", closedByReader: true);
            _reader.Drain(last: false);
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
        bool isComplete = _buffer.IsComplete;
        if (isComplete)
            ReportLosses();
        End();
        _reader.Drain(last: true);
        if (!isComplete)
            ReportLosses();
        _buffer.Flush();
        _counts?.PrintLast();
    }

    // Once, and only where nothing has come since the beginning. A pause is a silence that was asked for, and may have a prompt on the screen.
    private void ExplainSilence()
    {
        if (_silence is null)
            return;
        if (_pausable.Paused)
            _silentSince = Stopwatch.GetTimestamp();
        bool isSilent = _reader.Taken == 0;
        if (isSilent && Stopwatch.GetElapsedTime(_silentSince).TotalMilliseconds < SilenceHint.AfterMs)
            return;
        if (isSilent && _counts?.IsEmpty != false && _silence.Explain(_modules, _reader.Dropped) is { } hint)
            _message(hint);
        _silence = null;
    }

    private void FeedRates()
    {
        for (int number = 0; number < _rates.Count; number++)
            _rates[number].Feed(Environment.TickCount64, _reader.TakenOf(number));
    }

    private static EventFilter?[] Filters(IReadOnlyList<TraceModule> modules, EventCatalog events) =>
        [.. events.Schemas.Select(schema => modules[(int)(schema.Kind / EventCatalog.KindsPerModule)].CreateFilter(schema))];

    // Counting ends at one moment, events with the last hook; both before what is left is delivered, which may take long.
    private void End()
    {
        if (_hasEnded)
            return;
        _hasEnded = true;
        _counts?.End();
        foreach (var module in _modules)
            module.Detach();
        _summary.Duration = _counts?.Duration ?? Stopwatch.GetElapsedTime(_startedAt);
    }

    void ILossObserver.Lost(string module, string cause, LossCount lost)
    {
        _summary.AddLost(module, cause, lost);
        if (_options.Output.Format == OutputFormat.Json)
            LossRecord.Append(_buffer, module, cause, lost);
        else
            _message($"lost {lost.Count} events of {module}: {cause}{lost.UsersText}");
    }

    private void ReportLosses()
    {
        foreach (var module in _modules)
            module.CollectLosses(this);
        _reader.CollectLosses(this);
    }
}
