// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Counting;
using Veil.Core.Events;
using Veil.Core.Modules;
using Veil.Core.Output;
using Veil.Core.Recordings;
using Veil.Core.Sinks;

namespace Veil.Core.Formats;

/// <summary>What a format is given before the first event.</summary>
internal sealed record ExportInput
{
    /// <summary>The events that will come.</summary>
    public required EventCatalog Events { get; init; }

    /// <summary>The modules, by their numbers.</summary>
    public required IReadOnlyList<TraceModule> Modules { get; init; }

    /// <summary>Where, when and how it was recorded: of several files the first's.</summary>
    public required RecordingDescription Description { get; init; }

    /// <summary>The fields that were chosen, empty for all, and what is known beside the records.</summary>
    public required OutputOptions Shown { get; init; }

    /// <summary>Keys and weights; none where events are asked for.</summary>
    public CountOptions? Counting { get; init; }

    /// <summary>The file.</summary>
    public required IOutput Output { get; init; }

    /// <summary>The events of how many modules come?</summary>
    public bool HasSeveralModules =>
        Events.Schemas.Select(static schema => schema.Module).Distinct(StringComparer.Ordinal).Skip(1).Any();
}
