// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;
using Veil.Core.Events.Kinds;

namespace Veil.Core.Sinks;

/// <summary>The steps that write a line for one kind of event, with those set apart that say who it was.</summary>
internal sealed class LinePlan
{
    // One column is written as fast as it is found.
    private const int StepsWorthAMemory = 3;

    private readonly OutputStep[] _steps;
    private readonly Range _identity;

    public LinePlan(OutputStep[] steps, EventHeader header)
    {
        _steps = steps;
        int first = Array.FindIndex(steps, step => IsIdentity(step, header));
        int end = first < 0 ? -1 : Array.FindIndex(steps, first, step => !IsIdentity(step, header));
        if (end - first < StepsWorthAMemory || end < 0)
            return;
        _identity = first..end;
        Identity = new IdentityMemory(header);
    }

    /// <summary>An upper bound of what a whole line takes.</summary>
    public int LineBytesMax => _steps.Sum(static step => step.BytesMax) + 16;

    /// <summary>What threads look like; null where the line does not say enough of them.</summary>
    public IdentityMemory? Identity { get; }

    public ReadOnlySpan<OutputStep> BeforeIdentity => _steps.AsSpan(.._identity.Start);

    public ReadOnlySpan<OutputStep> IdentitySteps => _steps.AsSpan(_identity);

    /// <summary>The steps after those of the identity; all where there is no memory.</summary>
    public ReadOnlySpan<OutputStep> Rest => _steps.AsSpan(_identity.End..);

    private static bool IsIdentity(in OutputStep step, EventHeader header) =>
        step.Value.Is<ConstantKind>() || (step.Value.Size > 0 && step.Value.Offset + step.Value.Size <= header.IdentityBytes);
}
