// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using Veil.Core.Interop;

namespace Veil.Core.Counting;

/// <summary>
/// The counts of a session's modules over time: all begin, turn and end together, each time at one moment, whose clocks are read there and
/// then. What follows (waiting until the programs have left a set, reading it, printing) takes as long as it takes, and is in no figure.
/// </summary>
/// <param name="counts">The counts of the modules.</param>
/// <param name="sinks">What shows them.</param>
/// <param name="interval">How long is counted for a table; none: until the end.</param>
/// <param name="seriesKeys">Keys of a module that are followed from the beginning on, for others to read; 0: nobody does.</param>
/// <param name="look">Completes what is only looked at now and then.</param>
internal sealed class CountIntervals(
    IReadOnlyList<EventCounts> counts, IReadOnlyList<ICountSink> sinks, TimeSpan? interval, Action look, int seriesKeys = 0)
{
    // A program counts for some hundred nanoseconds, unless the CPU is taken from it meanwhile.
    private const int QuietPollMs = 1;
    private const int QuietAtEndMs = 100;
    private const int PauseWaitsMs = 200;
    private const double LastShareMin = 0.05;

    private readonly Lock _printing = new();
    private readonly Lock _taking = new();
    private readonly Lock _switching = new();
    private readonly Dictionary<string, CountSeries> _series = new(StringComparer.Ordinal);
    private Moment _begun;
    private Moment _from;
    private Moment _turned;
    private Moment _end;
    private long _turns;
    private bool _reading;
    private bool _paused;
    private bool _ended;
    private bool _hasTakenLast;

    /// <summary>Events of the tables so far.</summary>
    public ulong Counted { get; private set; }

    /// <summary>Events that came in pauses so far. From any thread.</summary>
    public ulong DroppedPaused
    {
        get
        {
            ulong dropped = 0;
            for (int module = 0; module < counts.Count; module++)
                dropped += DroppedPausedOf(module);
            return dropped;
        }
    }

    /// <summary>Those of one module.</summary>
    /// <param name="module">Its number in the session.</param>
    public ulong DroppedPausedOf(int module)
    {
        lock (_taking)
            return counts[module].DroppedPaused;
    }

    /// <summary>Has nothing been counted since the beginning? By the thread that takes the counts.</summary>
    public bool IsEmpty
    {
        get
        {
            bool isEmpty = Counted == 0;
            foreach (var module in counts)
                isEmpty &= module.IsEmpty;
            return isEmpty;
        }
    }

    /// <summary>From the beginning to the end of counting.</summary>
    public TimeSpan Duration => Stopwatch.GetElapsedTime(_begun.Ticks, _end.Ticks);

    /// <summary>Drops events, or counts them again. Tables are held back meanwhile: there may be a prompt where they would appear. From any
    /// thread.</summary>
    public bool Paused
    {
        set
        {
            Volatile.Write(ref _paused, value);
            // A table that is being printed comes before what follows; unless its reader takes nothing.
            if (_printing.TryEnter(PauseWaitsMs))
                _printing.Exit();
            lock (_switching)
            {
                if (!_ended)
                    Set(value ? CountState.Drop : CountState.Active);
            }
        }
    }

    /// <summary>Counts from now on.</summary>
    public void Begin()
    {
        look();
        Set(CountState.Active);
        _begun = _from = Moment.Now;
    }

    /// <summary>Begins the next interval where it is time for it, and prints the last one as soon as it is complete. Waits for
    /// nothing.</summary>
    /// <returns>Milliseconds after which to look again.</returns>
    public int Step()
    {
        const int rarely = 1_000;
        if (interval is not { } length || Volatile.Read(ref _paused))
            return rarely;
        if (!_reading && Stopwatch.GetElapsedTime(_begun.Ticks) >= (_turns + 1) * length)
        {
            look();
            foreach (var module in counts)
                module.Turn();
            _turned = Moment.Now;
            // By the beginning, not by the last turn: one that comes late does not delay those after it. What was missed altogether is one
            // interval.
            _turns = Stopwatch.GetElapsedTime(_begun.Ticks, _turned.Ticks).Ticks / length.Ticks;
            _reading = true;
        }

        if (_reading)
        {
            foreach (var module in counts)
            {
                if (!module.IsQuiet)
                    return QuietPollMs;
            }

            PrintTurned();
        }

        double dueMs = ((_turns + 1) * length - Stopwatch.GetElapsedTime(_begun.Ticks)).TotalMilliseconds;
        return (int)Math.Clamp(Math.Ceiling(dueMs), 0, rarely);
    }

    /// <summary>Counts nothing from now on. The hooks may go whenever they do.</summary>
    public void End()
    {
        look();
        lock (_switching)
        {
            _ended = true;
            Set(CountState.Idle);
        }

        _end = Moment.Now;
    }

    /// <summary>Prints what was counted since the last table, or since the beginning, once counting has ended.</summary>
    public void PrintLast()
    {
        WaitUntilIdle();
        if (_reading)
            PrintTurned();
        _turned = _end;
        // Nothing came in the moment between the last interval and the end: that is no interval of its own.
        if (interval is { } length && _turns > 0 && Stopwatch.GetElapsedTime(_from.Ticks, _end.Ticks) < LastShareMin * length
            && counts.All(static module => module.IsEmpty))
            return;
        Print(static module => module.TakeCurrent(), isLast: true);
    }

    /// <summary>Hands over all that was counted since the beginning, a module of a name each. From any thread; what takes them may take some
    /// milliseconds.</summary>
    public void ReadSeries(Action<IEnumerable<CountSeries>> read)
    {
        lock (_taking)
        {
            foreach (var module in counts)
                SeriesOf(module.Plan).BeginLook();
            foreach (var module in counts)
            {
                if (!_hasTakenLast)
                    module.Look(SeriesOf(module.Plan));
            }

            read(_series.Values);
        }
    }

    private CountSeries SeriesOf(CountPlan plan)
    {
        if (!_series.TryGetValue(plan.Schema.Module, out var series))
            _series.Add(plan.Schema.Module, series = new CountSeries(plan, seriesKeys));
        return series;
    }

    private void PrintTurned()
    {
        _reading = false;
        Print(static module => module.TakeOther());
        _from = _turned;
    }

    private void Print(Func<EventCounts, CountedEvents> take, bool isLast = false)
    {
        var taken = new List<(CountPlan Plan, CountedEvents Counted)>();
        lock (_taking)
        {
            foreach (var module in counts)
            {
                var counted = take(module);
                Counted += counted.Total;
                taken.Add((module.Plan, counted));
                if (seriesKeys > 0)
                    SeriesOf(module.Plan).Take(module.Plan, counted);
            }

            _hasTakenLast = isLast;
        }

        lock (_printing)
        {
            foreach (var sink in sinks)
                sink.Print(taken, Stopwatch.GetElapsedTime(_from.Ticks, _turned.Ticks), _turned.WallTimeNs);
        }
    }

    // Not a grace period: only a program whose CPU was taken away is worth waiting for, and none for long.
    private void WaitUntilIdle()
    {
        long since = Environment.TickCount64;
        while (interval is not null && Environment.TickCount64 - since < QuietAtEndMs)
        {
            bool idle = true;
            foreach (var module in counts)
                idle &= module.IsIdle;
            if (idle)
                return;
            Thread.Sleep(QuietPollMs);
        }
    }

    private void Set(CountState state)
    {
        foreach (var module in counts)
            module.State = state;
    }

    private readonly record struct Moment(long Ticks, long WallTimeNs)
    {
        public static Moment Now => new(Stopwatch.GetTimestamp(), LibC.NowNs(LibC.ClockRealtime));
    }
}
