// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Budgets;
using Veil.Core.Events;
using Veil.Core.Losses;
using Veil.Core.Output;

namespace Veil.Core.Sinks;

/// <summary>The end of the pipeline: a line an event.</summary>
public static class LineSink
{
    /// <summary>Compiles the plans.</summary>
    /// <param name="catalog">The events that will come.</param>
    /// <param name="options">What to show.</param>
    /// <param name="output">Where lines go.</param>
    public static IEventSink Create(EventCatalog catalog, in OutputOptions options, IOutput output) => options switch
    {
        { Format: OutputFormat.Json } => new LineSink<JsonLine>(catalog, options, output),
        { Format: OutputFormat.Strace } => new StraceSink(catalog, options, output),
        { Format: OutputFormat.Tree } => new TreeSink(catalog, options, output),
        { Fields.Count: 0, Screen: { } screen } => new ScreenSink(catalog, options, screen, output),
        { Fields.Count: > 0 } => new LineSink<PairLine>(catalog, options, output),
        _ => new LineSink<TextLine>(catalog, options, output),
    };
}

/// <summary>The same for one form of line, so that each has code of its own with no test at run time.</summary>
internal sealed class LineSink<TLine> : IEventSink
    where TLine : struct, ILine
{
    private readonly OutputBuffer _buffer;
    private readonly LinePlan[] _plans;
    private readonly StackLines?[] _stacks;

    public LineSink(EventCatalog catalog, in OutputOptions options, IOutput output)
    {
        _plans = new LinePlan[catalog.Schemas.Count];
        _stacks = new StackLines?[catalog.Schemas.Count];
        int lineBytesMax = 0;
        bool severalModules = catalog.Schemas.Select(static schema => schema.Module).Distinct(StringComparer.Ordinal).Skip(1).Any();
        foreach (var schema in catalog.Schemas)
        {
            var plan = new LinePlan(TLine.Compile(schema, options, severalModules), catalog.Header);
            _plans[schema.Index] = plan;
            _stacks[schema.Index] = TLine.HasLinesBelow ? StackLines.Of(schema) : null;
            lineBytesMax = Math.Max(lineBytesMax, plan.LineBytesMax + (_stacks[schema.Index]?.BytesMax ?? 0));
        }

        _buffer = new OutputBuffer(output, Math.Max(lineBytesMax, LossNotice.BytesMax));
    }

    /// <inheritdoc/>
    public ulong Delivered => _buffer.EventsWritten;

    /// <inheritdoc/>
    public void Write(ref EventView view)
    {
        var line = _buffer.BeginLine();
        var plan = _plans[view.Schema.Index];
        if (plan.Identity is { } identity)
        {
            TLine.Write(ref line, plan.BeforeIdentity, ref view);
            if (!identity.TryAppend(ref line, view.Record))
            {
                int start = line.Length;
                TLine.Write(ref line, plan.IdentitySteps, ref view);
                identity.Remember(view.Record, line.Written[start..]);
            }
        }

        line.Truncate(TLine.Write(ref line, plan.Rest, ref view));
        if (TLine.HasLinesBelow)
            _stacks[view.Schema.Index]?.Append(ref line, ref view);
        line.Append(TLine.End);
        _buffer.EndEvent(line);
    }

    /// <inheritdoc/>
    public bool Lost(LossKey key, LossCount lost)
    {
        var line = _buffer.BeginLine();
        if (!TLine.TryAppendLoss(ref line, key, lost))
            return false;
        _buffer.EndNotice(line);
        return true;
    }

    /// <inheritdoc/>
    public bool Tell(BudgetNotice notice)
    {
        var line = _buffer.BeginLine();
        if (!TLine.TryAppendNotice(ref line, notice))
            return false;
        _buffer.EndNotice(line);
        return true;
    }

    /// <inheritdoc/>
    public void Flush() => _buffer.Flush();

    /// <inheritdoc/>
    public void End() => _buffer.Flush();
}
