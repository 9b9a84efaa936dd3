// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using System.Text.Json;
using Veil.Core.Budgets;
using Veil.Core.Counting;
using Veil.Core.Events;
using Veil.Core.Losses;
using Veil.Core.Modules;
using Veil.Core.Options;
using Veil.Core.Pipeline;
using Veil.Core.Session;
using Veil.Core.Sinks;
using Veil.Core.Tests.Sources;
using Veil.Core.Waiting;

namespace Veil.Core.Tests.Session;

/// <summary>A whole trace, of a source made of bytes.</summary>
public sealed class TraceSessionTests
{
    private static readonly OutputOptions s_text = new(OutputFormat.Text, [], Enrichments.None, Colour: false);
    private static readonly OutputOptions s_pairs = s_text with { Fields = ["comm", "pid"] };
    private static readonly OutputOptions s_json = s_text with { Format = OutputFormat.Json, Fields = ["comm"] };

    [Fact]
    public void Run_TwoOutputs_EachHasEveryEventInItsOwnFieldsAndForm()
    {
        var (screen, file) = (new MemoryOutput(), new MemoryOutput());
        var summary = Run(new BytesSource().Calls("a", "b"), [new(s_pairs, screen), new(s_json, file)], out var said);

        screen.Text.ShouldBe("comm=a pid=812\ncomm=b pid=812\n");
        file.Text.ShouldBe("{\"comm\":\"a\"}\n{\"comm\":\"b\"}\n");
        summary.Delivered.ShouldBe(2ul);
        summary.Lost.ShouldBeEmpty();
        said.ShouldBeEmpty();
    }

    /// <summary>What one output asks for is looked up for all, and shown by that one alone.</summary>
    [Fact]
    public void Run_OneOutputWithNames_TheOtherHasNone()
    {
        var (screen, file) = (new MemoryOutput(), new MemoryOutput());
        Run(new BytesSource().Calls("a"),
            [new(s_json, screen), new(s_json with { Fields = ["comm", "username"], Enrichments = Enrichments.User }, file)], out _);

        screen.Text.ShouldBe("{\"comm\":\"a\"}\n");
        JsonDocument.Parse(file.Text).RootElement.EnumerateObject().Select(static field => field.Name).ShouldBe(["comm", "username"]);
    }

    /// <summary>The stream tells of a loss between the events that it fell between; text has no place for it, and the user is told beside
    /// it, once.</summary>
    [Fact]
    public void Run_LossBetweenEvents_StandsBetweenThem()
    {
        var (screen, file) = (new MemoryOutput(), new MemoryOutput());
        var source = new BytesSource().Calls("a").Loss("ring_full", 5).Calls("b").Loss("map_full", 1).Loss("ring_full", 2);
        var summary = Run(source, [new(s_pairs, screen), new(s_json, file), new(s_text, new MemoryOutput())], out var said);

        file.Lines.Select(static line => line.Split(",\"timestamp\"")[0]).ShouldBe(
        [
            "{\"comm\":\"a\"}",
            "{\"module\":\"syscall\",\"evt_type\":\"lost\",\"cause\":\"ring_full\",\"count\":5",
            "{\"comm\":\"b\"}",
            "{\"module\":\"syscall\",\"evt_type\":\"lost\",\"cause\":\"map_full\",\"count\":1",
            "{\"module\":\"syscall\",\"evt_type\":\"lost\",\"cause\":\"ring_full\",\"count\":2",
        ]);
        screen.Text.ShouldBe("comm=a pid=812\ncomm=b pid=812\n");
        said.ShouldBe(["lost 5 events of syscall: ring_full", "lost 1 events of syscall: map_full", "lost 2 events of syscall: ring_full"]);
        summary.LostTotal.ShouldBe(8ul);
        summary.Lost.Select(static lost => (lost.Key.Cause, lost.Value.Count)).ShouldBe([("map_full", 1ul), ("ring_full", 7ul)]);
    }

    [Fact]
    public void Run_JsonAlone_SaysNothingBesideIt()
    {
        Run(new BytesSource().Loss("ring_full", 5), [new(s_json, new MemoryOutput())], out var said);

        said.ShouldBeEmpty();
    }

    [Fact]
    public void Run_OneOutputFails_TheOtherKeepsWhatItHasAndTheRestIsCounted()
    {
        // The room is for less than a batch: the first write fails.
        var (screen, file) = (new MemoryOutput(), new MemoryOutput(bytesMax: 10));
        string[] comms = [.. Enumerable.Range(0, 40_000).Select(static i => $"t{i}")];
        var summary = Run(new BytesSource().Calls(comms), [new(s_json, file), new(s_pairs, screen)], out _);

        summary.Failure.ShouldNotBeNull().Message.ShouldBe("writing the output: no room");
        file.Text.ShouldBeEmpty();
        screen.Lines.Length.ShouldBeInRange(1, comms.Length - 1);
        screen.Lines.ShouldBe(comms[..screen.Lines.Length].Select(static comm => $"comm={comm} pid=812"));
        summary.Delivered.ShouldBe(0ul);
        summary.Lost.ShouldBe([new(new LossKey("output", "not_written"), summary.Lost[0].Value)]);
        summary.LostTotal.ShouldBe((ulong)comms.Length);
    }

    [Fact]
    public void Run_RecordWithoutItsEnd_IsCountedAsReadFailed()
    {
        var source = new BytesSource().Calls("a");
        source.Record(new byte[source.Events.Header.SizeBytes]);
        var summary = Run(source.Calls("b"), [new(s_pairs, new MemoryOutput())], out _);

        summary.Delivered.ShouldBe(2ul);
        summary.Lines().Last().ShouldBe("lost 1: syscall: read_failed (memory that the event needs could not be read)");
    }

    [Fact]
    public void Run_EventsMax_EndsAfterThem()
    {
        var output = new MemoryOutput();
        var summary =
            Run(new BytesSource(isLive: true).Calls("a", "b", "c"), [new(s_pairs, output)], out _, static options =>
            options with { EventsMax = 2 });

        output.Lines.ShouldBe(["comm=a pid=812", "comm=b pid=812"]);
        summary.Delivered.ShouldBe(2ul);
        summary.LostTotal.ShouldBe(0ul);
    }

    [Fact]
    public void Run_StopAskedFor_DetachesAndDeliversWhatIsThere()
    {
        var source = new BytesSource(isLive: true).Calls("a");
        var output = new MemoryOutput();
        var summary = Run(source, [new(s_pairs, output)], out _, static options => options with { Duration = TimeSpan.Zero });

        output.Lines.ShouldBe(["comm=a pid=812"]);
        summary.Failure.ShouldBeNull();
        (source.IsDetached, source.IsDisposed).ShouldBe((true, true));
    }

    /// <summary>A step is told at its place in the stream, in JSON as an object and beside text as a line; what was left out is no loss.</summary>
    [Fact]
    public void Run_OverItsBudget_TellsEachStepAndWhatWasLeftOut()
    {
        var (text, json) = (new MemoryOutput(), new MemoryOutput());
        var source = new BytesSource(isLive: true) { Cpus = 1.5, Flows = true };
        var summary =
            Run(source, [new(s_pairs, text), new(s_json, json)], out var said, static options =>
            options with { Budget = 0.01, Duration = TimeSpan.FromSeconds(3.5) });

        source.Rates.Count.ShouldBe(1);
        source.Rates[0].OneIn.ShouldBeGreaterThan(1u);
        var notices = json.Lines.Where(static line => line.Contains("evt_type", StringComparison.Ordinal))
            .Select(static line => JsonDocument.Parse(line).RootElement).ToList();
        notices.Select(static notice => notice.GetProperty("evt_type").GetString()).ShouldBe(["budget", "sampled"]);
        notices[0].GetProperty("one_in").GetUInt32().ShouldBe(source.Rates[0].OneIn);
        notices[0].GetProperty("budget_percent").GetDouble().ShouldBe(1);
        notices[0].GetProperty("cost_percent").GetDouble().ShouldBeGreaterThan(100);
        notices[1].GetProperty("module").GetString().ShouldBe("syscall");
        (notices[1].GetProperty("seen").GetUInt64() - notices[1].GetProperty("sent").GetUInt64()).ShouldBe(1_000ul);
        said.Count.ShouldBe(2);
        said[0].ShouldMatch(@"^budget: \d+\.\d% of a CPU of 1%: from all events to (one event in \d+|counts alone)$");
        said[1].ShouldMatch(@"^budget: syscall: \d+ events in \d\.\d s, \d+ sent");
        text.Lines.ShouldAllBe(static line => line == "comm=flow pid=812");
        summary.LostTotal.ShouldBe(0ul);
        summary.Lines().Last().ShouldBe($"budget: 1000 of {summary.Delivered + 1000} events of syscall were counted and not sent");
    }

    [Fact]
    public void Run_CountsSentEvents_LeavesNoneOut()
    {
        var source = new BytesSource(isLive: true) { Cpus = 1.5, Flows = true };
        Run(source, [new(s_pairs, new MemoryOutput())], out var said, static options =>
            options with { Budget = 0.01, Duration = TimeSpan.FromSeconds(2.5), CountingSent = new CountOptions(["syscall"], null, null, null, CountOptions.DefaultKeys) });

        source.Rates.Count(static rate => rate != SampleRate.All).ShouldBe(0);
        said.ShouldHaveSingleItem().ShouldStartWith("budget: all events cost ");
    }

    [Fact]
    public void Run_UserspaceFilter_NamesItsFlagForWhatItDropped()
    {
        var source = new BytesSource(filter: new CommFilter("b")).Calls("a", "b", "c");
        var output = new MemoryOutput();
        var summary = Run(source, [new(s_pairs, output)], out _);

        output.Lines.ShouldBe(["comm=b pid=812"]);
        summary.Lines().First().ShouldEndWith("0 lost, 2 dropped by --comm");
    }

    private static SessionSummary Run(
        BytesSource source, IReadOnlyList<(OutputOptions Options, MemoryOutput Output)> outputs, out List<string> said,
        Func<SessionOptions, SessionOptions>? change = null)
    {
        var lines = said = [];
        using var stop = new StopSignal();
        var options =
            new SessionOptions { Modules = [.. source.Modules.Select(static module => module.Module)], Output = outputs[0].Options };
        using var session =
            new TraceSession(
            source, [.. outputs.Select(static output => new TraceOutput(output.Options, output.Output))], change is null ? options
            : change(options), stop, lines.Add);
        return session.Run();
    }

    private sealed class CommFilter(string comm) : EventFilter
    {
        public override string Flag => "--comm";

        public override bool Passes(ref EventView view) => view.Record.StartsWith(Encoding.UTF8.GetBytes(comm));
    }
}
