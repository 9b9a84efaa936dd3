// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Budgets;

/// <summary>
/// Decides which part of the events is sent, so that a trace costs no more than its budget. It sees figures alone, and does nothing
/// itself. Down it goes as soon as two seconds cost more than the budget; up again once there has been room for a while, and the longer a
/// while, the sooner the last way up ended in one down.
/// </summary>
/// <param name="budget">What the trace may cost, in CPUs.</param>
/// <param name="canSample">May events be left out? Where they are counted, they may not.</param>
public sealed class BudgetController(double budget, bool canSample)
{
    private const double NsPerSecond = 1e9;
    private const double WindowSeconds = 1.9; // looks come once a second
    private const double CalmSecondsMin = 6, CalmSecondsMax = 120;
    private const double SteadySeconds = 60; // a way up that held for so long was right

    // Where a step leads to, as a part of the budget: more would be too much again soon.
    private const double AimDown = 0.8, AimUp = 0.7;

    private BudgetReading? _from;
    private bool _isSettling;
    private (double Cost, double Seen, double Sent)? _before; // a second, before the last step
    private double? _perEvent; // what one that is sent costs, in seconds
    private double _calm;
    private double _calmWanted = CalmSecondsMin;
    private double _sinceUp = double.MaxValue;
    private bool _hasToldFloor;

    /// <summary>What the trace may cost, in CPUs.</summary>
    public double Budget => budget;

    /// <summary>What is sent now.</summary>
    public SampleRate Rate { get; private set; } = SampleRate.All;

    /// <summary>What the trace cost in the last two seconds that were looked at, in CPUs; nothing before there were any.</summary>
    public double? Cost { get; private set; }

    /// <summary>Takes the figures of a moment, about once a second.</summary>
    /// <returns>A step that is to be done and told; the rate is the new one already. Or nothing.</returns>
    public (SampleRate From, SampleRate To)? Feed(in BudgetReading now)
    {
        // The first look after a step still has what was under way.
        if (_from is not { } from || _isSettling)
        {
            (_from, _isSettling) = (now, false);
            return null;
        }

        double seconds = (now.TimeNs - from.TimeNs) / NsPerSecond;
        if (seconds < WindowSeconds)
            return null;
        _from = now;
        _sinceUp += seconds;
        double cost = (now.CostNs - from.CostNs) / NsPerSecond / seconds;
        double seen = (now.Seen - from.Seen) / seconds, sent = (now.Sent - from.Sent) / seconds;
        Cost = cost;
        Learn(cost, seen, sent);
        var to = cost > budget ? Down(cost, seen, sent) : Up(cost, seen, sent, seconds);
        if (to is not { } next)
            return null;
        var step = (Rate, next);
        if (next != Rate)
        {
            _before = (cost, seen, sent);
            _isSettling = true;
            _hasToldFloor = false;
            _calm = 0;
        }

        Rate = next;
        return step;
    }

    // What a step changed tells what an event costs, if it was not the load that changed. Until then all of the cost is theirs.
    private void Learn(double cost, double seen, double sent)
    {
        const double alike = 1.5, enough = 0.2;
        if (_before is { } before)
        {
            bool isSameLoad = seen < before.Seen * alike && before.Seen < seen * alike;
            if (isSameLoad && Math.Abs(before.Sent - sent) > enough * Math.Max(before.Sent, sent))
                _perEvent = Math.Clamp((before.Cost - cost) / (before.Sent - sent), 0, before.Cost / Math.Max(before.Sent, 1));
            _before = null;
        }

        if (sent > 0)
            _perEvent = Math.Min(_perEvent ?? double.MaxValue, cost / sent);
    }

    private SampleRate? Down(double cost, double seen, double sent)
    {
        if (_sinceUp < SteadySeconds)
            _calmWanted = Math.Min(2 * _calmWanted, CalmSecondsMax);
        _sinceUp = double.MaxValue;
        _calm = 0;
        if (!canSample || Rate == SampleRate.None || sent == 0)
        {
            bool isNew = !_hasToldFloor;
            _hasToldFloor = true;
            return isNew ? Rate : null;
        }

        double rest = Math.Max(cost - ((_perEvent ?? 0) * sent), 0), room = (AimDown * budget) - rest;
        if (room <= 0)
            return SampleRate.None;
        // Events are sent by chance, and some always.
        double needed = (_perEvent ?? 0) * Math.Max(seen, sent) / room;
        return SampleRate.AtMostOneIn(Math.Max(needed, 2 * Rate.OneIn));
    }

    private SampleRate? Up(double cost, double seen, double sent, double seconds)
    {
        if (_sinceUp > SteadySeconds && _sinceUp < double.MaxValue)
            _calmWanted = CalmSecondsMin;
        if (Rate == SampleRate.All)
            return null;
        var best = Rate;
        for (uint oneIn = Rate.OneIn == 0 ? SampleRate.OneInMax : Rate.OneIn / 2; oneIn >= 1; oneIn /= 2)
        {
            double more = Math.Max((seen / oneIn) - sent, 0);
            if (cost + (more * (_perEvent ?? 0)) > AimUp * budget)
                break;
            best = new(oneIn);
        }

        _calm = best == Rate ? 0 : _calm + seconds;
        if (_calm < _calmWanted)
            return null;
        _sinceUp = 0;
        return best;
    }
}
