// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Budgets;
using Veil.Core.Events;
using Veil.Core.Losses;
using Veil.Core.Text;

namespace Veil.Core.Sinks;

/// <summary>A form of line.</summary>
internal interface ILine
{
    /// <summary>Have stacks lines of their own, below that of the event?</summary>
    static virtual bool HasLinesBelow => false;

    /// <summary>What follows the last value.</summary>
    static abstract ReadOnlySpan<byte> End { get; }

    /// <summary>The steps that write an event of one kind.</summary>
    /// <param name="schema">The kind.</param>
    /// <param name="options">What to show.</param>
    /// <param name="severalModules">Events of other modules come too.</param>
    static abstract OutputStep[] Compile(EventSchema schema, in OutputOptions options, bool severalModules);

    /// <summary>Appends some of the steps.</summary>
    /// <returns>The line's length up to the end of its last value: what comes after that is only for a next one.</returns>
    static abstract int Write(ref LineWriter line, ReadOnlySpan<OutputStep> steps, scoped ref EventView view);

    /// <summary>Appends a line that says what was lost, where a reader of this form can tell it from an event.</summary>
    static virtual bool TryAppendLoss(ref LineWriter line, LossKey key, LossCount lost) => false;

    /// <summary>The same of what a trace with a budget tells.</summary>
    static virtual bool TryAppendNotice(ref LineWriter line, BudgetNotice notice) => false;
}
