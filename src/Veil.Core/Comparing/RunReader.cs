// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;
using Veil.Core.Modules;
using Veil.Core.Pipeline;
using Veil.Core.Recordings;
using Veil.Core.Session;

namespace Veil.Core.Comparing;

/// <summary>Reads recordings to compare them.</summary>
internal static class RunReader
{
    /// <summary>The kinds of event of a recording that can be compared, by module and struct.</summary>
    public static HashSet<string> KindsOf(ReplayTrace trace) =>
        [.. trace.Description.Events.Where(facts => trace.Modules[facts.Module].ComesInOrder).Select(facts => KindOf(trace, facts))];

    /// <summary>Reads a recording.</summary>
    /// <param name="trace">The recording. Its files are closed then.</param>
    /// <param name="kinds">The kinds of event that count: both recordings have them.</param>
    /// <param name="texts">Takes what events say.</param>
    /// <param name="message">Takes a line about what is missing.</param>
    public static Run Read(ReplayTrace trace, IReadOnlySet<string> kinds, TextTable texts, Action<string> message)
    {
        var chosen = new EventCatalog();
        foreach (var facts in trace.Description.Events.Where(facts => kinds.Contains(KindOf(trace, facts))))
            chosen.Add(facts.Layout, trace.Description.Origin, trace.Modules[facts.Module], facts.Kind);
        var sink = new RunSink(chosen, texts);
        var source = trace.Source(chosen, ReplayRange.All, message);
        var pipeline = new EventPipeline(chosen, new EventFilter?[chosen.Schemas.Count], sink, Run.EventsMax, message);
        while (!source.HasEnded && !pipeline.IsComplete)
            source.Drain(pipeline, last: false);
        pipeline.End();
        sink.Run.IsCut = pipeline.IsComplete;
        sink.Run.IsIncomplete = source.IsIncomplete;
        source.Dispose();
        return sink.Run;
    }

    private static string KindOf(ReplayTrace trace, RecordingDescription.EventFacts facts) =>
        trace.Modules[facts.Module].Name + "/" + facts.Layout.Name;
}
