// SPDX-License-Identifier: GPL-3.0-only
using BenchmarkDotNet.Attributes;
using Veil.Core.Enrichers;
using Veil.Core.Events;
using Veil.Core.Modules;
using Veil.Core.Pipeline;
using Veil.Core.Sinks;

namespace Veil.MicroBench;

/// <summary>An event through one stage of the pipeline.</summary>
public class Sinks
{
    private readonly byte[] _record = Sample.Record();
    private readonly IEventSink _text =
        LineSink.Create(Sample.Events, new OutputOptions(OutputFormat.Text, [], Enrichments.None, Colour: false), new Sample.Nowhere());
    private readonly IEventSink _json =
        LineSink.Create(Sample.Events, new OutputOptions(OutputFormat.Json, [], Enrichments.None, Colour: false), new Sample.Nowhere());
    private readonly IEventSink _pairs =
        LineSink.Create(
        Sample.Events, new OutputOptions(OutputFormat.Text, ["comm", "pid", "syscall"], Enrichments.None, Colour: false),
        new Sample.Nowhere());
    private readonly EventPipeline _pipeline =
        new(Sample.Events, new EventFilter?[Sample.Events.Schemas.Count], new Sample.Nowhere(), eventsMax: null, static _ => { });
    private readonly IEventSink _time = new EnrichSink(new Sample.Nowhere(), Enrichments.Time, Sample.Events.Header, new CurrentNames(root: null));
    private readonly IEventSink _user = new EnrichSink(new Sample.Nowhere(), Enrichments.User, Sample.Events.Header, new CurrentNames(root: null));
    private readonly IEventSink _proc = new EnrichSink(new Sample.Nowhere(), Enrichments.Proc, Sample.Events.Header, new CurrentNames(root: null));

    [Benchmark]
    public void Pipeline() => _pipeline.Deliver(_record);

    [Benchmark]
    public void Text() => Write(_text);

    [Benchmark]
    public void Json() => Write(_json);

    [Benchmark]
    public void Pairs() => Write(_pairs);

    [Benchmark]
    public void EnrichTime() => Write(_time);

    [Benchmark]
    public void EnrichUser() => Write(_user);

    [Benchmark]
    public void EnrichProc() => Write(_proc);

    private void Write(IEventSink sink)
    {
        var view = new EventView { Record = _record, Schema = Sample.Events.Schemas[0] };
        sink.Write(ref view);
    }
}
