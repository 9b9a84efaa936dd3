// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Modules;
using Veil.Core.Options;
using Veil.Core.Pipeline;
using Veil.Core.Recordings;
using Veil.Core.Session;
using Veil.Core.Sinks;
using Veil.Core.Tests.Events;
using Veil.Core.Tests.Sources;
using Veil.Core.Waiting;

namespace Veil.Core.Tests.Recordings;

/// <summary>A trace that is recorded, and its recording shown.</summary>
internal static class RecordedTrace
{
    public static readonly OutputOptions Json = new(OutputFormat.Json, [], Enrichments.All & ~(Enrichments.Parent | Enrichments.Cgroup | Enrichments.Container), Colour: false);

    /// <summary>Runs a trace of this source; what it showed.</summary>
    public static string Record(string path, BytesSource source, out List<string> said)
    {
        var messages = new List<string>();
        var output = new MemoryOutput();
        var options = new SessionOptions { Modules = [], Output = Json };
        using var stop = new StopSignal();
        using var recorder = Recorder.Open(new RecordOptions(path, false, null, null));
        using (var session = new TraceSession(source, [new TraceOutput(Json, output)], options, stop, messages.Add, recorder: recorder))
            session.Run();
        said = messages;
        return output.Text;
    }

    /// <summary>Shows a recording.</summary>
    public static string Replay(string path, out List<string> said)
    {
        var messages = new List<string>();
        said = messages;
        var output = new MemoryOutput();
        try
        {
            using var reader = RecordingReader.Open(path);
            var events = Catalog(reader.Description);
            using var stop = new StopSignal();
            using var session = new TraceSession(
                new RecordingSource([reader], events, events, [new SyscallObject.Module()], ReplayRange.All, messages.Add),
                [new TraceOutput(Json, output)], new SessionOptions { Modules = [], Output = Json }, stop, messages.Add);
            session.Run();
        }
        catch (RecordingException wrong)
        {
            messages.Add(wrong.Message);
        }

        return output.Text;
    }

    private static Core.Events.EventCatalog Catalog(RecordingDescription description)
    {
        var catalog = new Core.Events.EventCatalog();
        foreach (var facts in description.Events)
            catalog.Add(facts.Layout, description.Origin, new SyscallObject.Module(), facts.Kind);
        return catalog;
    }
}
