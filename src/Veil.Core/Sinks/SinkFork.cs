// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Budgets;
using Veil.Core.Events;
using Veil.Core.Losses;
using Veil.Core.Output;

namespace Veil.Core.Sinks;

/// <summary>Several sinks side by side, which get the same stream. If one fails, the others still get what came until then.</summary>
internal sealed class SinkFork(IReadOnlyList<IEventSink> sinks) : IEventSink
{
    private readonly IEventSink[] _sinks = [.. sinks];

    /// <summary>An event is delivered when every output has it.</summary>
    public ulong Delivered => _sinks.Min(static sink => sink.Delivered);

    /// <inheritdoc/>
    public void Write(ref EventView view)
    {
        OutputException? failure = null;
        foreach (var sink in _sinks)
        {
            try
            {
                sink.Write(ref view);
            }
            catch (OutputException failed)
            {
                failure ??= failed;
            }
        }

        if (failure is not null)
            throw failure;
    }

    /// <inheritdoc/>
    public bool Lost(LossKey key, LossCount lost)
    {
        bool isTold = true;
        ForEach(sink => isTold &= sink.Lost(key, lost));
        return isTold;
    }

    /// <inheritdoc/>
    public bool Tell(BudgetNotice notice)
    {
        bool isTold = true;
        ForEach(sink => isTold &= sink.Tell(notice));
        return isTold;
    }

    /// <inheritdoc/>
    public void Flush() => ForEach(static sink => sink.Flush());

    /// <inheritdoc/>
    public void End() => ForEach(static sink => sink.End());

    private void ForEach(Action<IEventSink> action)
    {
        OutputException? failure = null;
        foreach (var sink in _sinks)
        {
            try
            {
                action(sink);
            }
            catch (OutputException failed)
            {
                failure ??= failed;
            }
        }

        if (failure is not null)
            throw failure;
    }
}
