// SPDX-License-Identifier: GPL-3.0-only
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
    public static readonly OutputOptions Json = new(OutputFormat.Json, [], Enrichments.Time | Enrichments.User | Enrichments.Proc, Colour: false);

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
            using var trace = ReplayTrace.Open([path], [new SyscallObject.Module()]);
            using var stop = new StopSignal();
            using var session = new TraceSession(
                trace.Source(trace.Events(null, static _ => true), ReplayRange.All, messages.Add), [new TraceOutput(Json, output)],
                new SessionOptions { Modules = [], Output = Json }, stop, messages.Add);
            session.Run();
        }
        catch (VeilException wrong)
        {
            messages.Add(wrong.Message);
        }

        return output.Text;
    }
}
