// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using Veil.Core.Budgets;
using Veil.Core.Interop;
using Veil.Core.Pipeline;
using Veil.Core.Sources;

namespace Veil.Core.Session;

/// <summary>
/// Keeps a trace within its budget: asks the controller once a second, has the source send what it says, and tells the stream of each step
/// and of what was left out. By the reading thread alone, but for <see cref="Status"/>.
/// </summary>
internal sealed class BudgetWatch
{
    private const int LookEveryMs = 1_000;
    private static readonly TimeSpan s_tellEvery = TimeSpan.FromSeconds(10);

    private readonly IEventSource _source;
    private readonly EventPipeline _pipeline;
    private readonly BudgetController _controller;
    private readonly ulong[] _sentTold;
    private readonly ulong[] _leftOutTold;
    private long _lookedMs;
    private long _toldAt = Stopwatch.GetTimestamp();
    private BudgetStatus _status;

    public BudgetWatch(IEventSource source, EventPipeline pipeline, double budget, bool canSample)
    {
        _source = source;
        _pipeline = pipeline;
        _controller = new BudgetController(budget, canSample);
        _sentTold = new ulong[source.Modules.Count];
        _leftOutTold = new ulong[source.Modules.Count];
        _status = new(budget, SampleRate.All, null, new ulong[source.Modules.Count]);
    }

    /// <summary>As of the last second. From any thread.</summary>
    public BudgetStatus Status => Volatile.Read(ref _status);

    /// <summary>Looks whether it is time to.</summary>
    public void Step()
    {
        if (Environment.TickCount64 - _lookedMs < LookEveryMs)
            return;
        _lookedMs = Environment.TickCount64;
        var leftOut = LeftOut();
        ulong sent = _pipeline.Taken + _pipeline.DroppedByFilter;
        ulong cost = _source.RunTimeNs + (ulong)SessionCost.ProcessCpu.TotalNanoseconds;
        var reading =
            new BudgetReading(
            LibC.NowNs(LibC.ClockBoottime), cost, leftOut.Aggregate(sent, static (sum, count) => sum + count), sent);
        if (_controller.Feed(reading) is var (from, to))
        {
            TellCounts(from, leftOut);
            if (to != from)
                _source.Sample(to);
            _pipeline.Tell(new BudgetStep(from, to, _controller.Cost!.Value, _controller.Budget, LibC.NowNs(LibC.ClockBoottime)));
        }
        else if (Stopwatch.GetElapsedTime(_toldAt) >= s_tellEvery)
        {
            TellCounts(_controller.Rate, leftOut);
        }

        Volatile.Write(ref _status, new(_controller.Budget, _controller.Rate, _controller.Cost, leftOut));
    }

    /// <summary>Tells the last counts: nothing more comes.</summary>
    public void End()
    {
        var leftOut = LeftOut();
        TellCounts(_controller.Rate, leftOut);
        Volatile.Write(ref _status, Status with { LeftOut = leftOut });
    }

    private ulong[] LeftOut() => [.. _source.Modules.Select((_, module) => _source.LeftOutOf(module))];

    // What was read since the last time, and what was left out. Where all is sent there is nothing to tell.
    private void TellCounts(SampleRate rate, ulong[] leftOut)
    {
        var over = Stopwatch.GetElapsedTime(_toldAt);
        _toldAt = Stopwatch.GetTimestamp();
        for (int module = 0; module < leftOut.Length; module++)
        {
            ulong taken = _pipeline.TakenOf(module), sent = taken - _sentTold[module], left = leftOut[module] - _leftOutTold[module];
            _sentTold[module] = taken;
            _leftOutTold[module] = leftOut[module];
            if (left > 0)
                _pipeline.Tell(
                    new SampledEvents(
                    _source.Modules[module].Module.Name, rate, sent + left, sent, over, LibC.NowNs(LibC.ClockBoottime)));
        }
    }
}
