// SPDX-License-Identifier: GPL-3.0-only
using System.Net.Sockets;
using System.Text.Json;
using Veil.Core.Control;
using Veil.Core.Filters;
using Veil.Core.Modules;
using Veil.Core.Options;
using Veil.Core.Pipeline;
using Veil.Core.Session;
using Veil.Core.Sinks;
using Veil.Core.Tests.Events;
using Veil.Core.Tests.Sources;
using Veil.Core.Waiting;

namespace Veil.Core.Tests.Control;

/// <summary>Every command, on a trace of a source made of bytes.</summary>
public sealed class ControlCommandsTests : IDisposable
{
    private readonly StopSignal _stop = new();
    private readonly BytesSource _source = new(isLive: true, keysMax: 2);
    private readonly MemoryOutput _output = new();
    private readonly TraceSession _session;
    private readonly ControlCommands _commands;

    public ControlCommandsTests()
    {
        var options = new OutputOptions(OutputFormat.Text, ["comm"], Enrichments.None, Colour: false);
        _session =
            new TraceSession(
            _source, [new TraceOutput(options, _output)], new SessionOptions { Modules = [_source.Modules[0].Module], Output = options },
            _stop, static _ => { });
        _commands = new ControlCommands(_session, [new SyscallObject.Module(), new OtherModule()]);
    }

    public void Dispose()
    {
        _session.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public void Filters_AddedTakenOutAndCleared_AreThoseThatTheProgramsFind()
    {
        Ask("add pid 12 13").ShouldBe("OK pid allows 12, 13");
        Ask("add syscall pid_deny 13").ShouldBe("OK pid allows 12, 13 and denies 13");
        _source.Pids.Keys.ShouldBe(
            new Dictionary<string, FilterBits> { ["12"] = FilterBits.Allow, ["13"] = FilterBits.Allow | FilterBits.Deny },
            ignoreOrder: true);
        Ask("list pid").ShouldBe("12\n13\n.");
        Ask("list pid_deny").ShouldBe("13\n.");
        Ask("del pid 12").ShouldBe("OK pid allows 13 and denies 13");
        Ask("clear pid").ShouldBe("OK pid allows everything again: no key is left");
        _source.Pids.Keys.ShouldBe(new Dictionary<string, FilterBits> { ["13"] = FilterBits.Deny });
        Ask("clear pid_deny").ShouldBe("OK pid allows everything");
        _source.Pids.Keys.ShouldBeEmpty();
    }

    /// <summary>A change that the kernel has no room for is none: not of the keys that fitted either.</summary>
    [Fact]
    public void Add_NoRoom_LeavesWhatWasThere()
    {
        Ask("add name a").ShouldBe("OK name allows a");
        Ask("add name b c").ShouldBe("ERR storing a key in filter: no room");
        _source.Names.Keys.Keys.ShouldBe(["a"]);
        Ask("list name").ShouldBe("a\n.");
    }

    [Theory]
    [InlineData("", "an empty line is no command; help lists them")]
    [InlineData(
        "stats",
        "unknown command 'stats'; did you mean 'status'? (available: add, del, list, clear, status, pause, resume, dump, help, quit, exit)")]
    [InlineData("pause now", "pause: takes nothing after it, but there is 'now'")]
    [InlineData("status xml", "status: takes nothing, or json")]
    [InlineData("add", "add: say which filter: pid, name")]
    [InlineData("del pid 5", "pid: '5' is not there")]
    [InlineData("list pid 5", "pid: takes no key here, but there is '5'")]
    [InlineData("add other pid 5", "add: module other is not traced (syscall is)")]
    [InlineData("add errno ENOENT", "add: errno: this trace shows calls as they begin, which have no result yet; start it with --returns")]
    [InlineData("add uid 0", "add: syscall has no filter 'uid'; syscall, other have (available: pid, name, each with _deny too)")]
    [InlineData(
        "add slower 1s",
        "add: --slower is set when the trace starts, and cannot be changed while it runs (available: pid, name, each with _deny too)")]
    [InlineData("add nam x", "add: unknown filter 'nam'; did you mean 'name'? (available: pid, name, each with _deny too)")]
    public void Mistake_IsExplainedAndChangesNothing(string command, string why)
    {
        Ask(command).ShouldBe("ERR " + why);
        (_source.Pids.Keys.Count, _source.Names.Keys.Count, _session.Paused, _stop.IsRequested).ShouldBe((0, 0, false, false));
    }

    [Theory]
    [InlineData("", "add clear del dump exit help list pause quit resume status")]
    [InlineData("st", "status")]
    [InlineData("add ", "name name_deny pid pid_deny syscall")]
    [InlineData("add syscall n", "name name_deny")]
    [InlineData("status ", "json")]
    public void Complete_OffersWhatMayFollow(string before, string words) => _commands.Complete(before).ShouldBe(words.Split(' '));

    [Fact]
    public void Pause_DropsAndCounts_UntilResume()
    {
        Ask("resume").ShouldBe("OK not paused");
        Ask("pause").ShouldBe("OK paused");
        Ask("pause").ShouldBe("OK paused already");
        _source.Calls("a", "b");
        using (Run())
        {
            Eventually(() => _session.Status().DroppedPaused == 2);
            Ask("status").ShouldContain(", 2 dropped while paused");
            Ask("resume").ShouldBe("OK resumed; 2 events dropped while paused");
            Ask("quit").ShouldBe("OK");
        }

        _output.Text.ShouldBeEmpty();
    }

    [Fact]
    public void Status_OfASourceWithoutRings_SaysWhatItKnows()
    {
        Ask("add name web").ShouldBe("OK name allows web");
        string[] lines = Ask("status").Split('\n');
        lines[0].ShouldStartWith("tracing for 0 s");
        lines[1..].ShouldBe(["syscall  by bytes, 0 events, 0 lost", "  name allows web", "  name passed 7, dropped 3", "."]);
        var json = JsonDocument.Parse(Ask("status json")[3..]).RootElement;
        json.GetProperty("ring_bytes").ValueKind.ShouldBe(JsonValueKind.Null);
        json.GetProperty("modules")[0].GetProperty("hook").GetString().ShouldBe("bytes");
    }

    /// <summary>Over the socket, while the trace runs.</summary>
    [Fact]
    public void Socket_Asked_AnswersAndEndsTheTrace()
    {
        string path = Path.Combine(Path.GetTempPath(), $"veil-{Environment.ProcessId}.sock");
        using var server = ControlServer.Open(path, group: null);
        server.Start(_commands, _stop);
        using (Run())
        {
            using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            client.Connect(new UnixDomainSocketEndPoint(path));
            using var stream = new NetworkStream(client);
            using var reader = new StreamReader(stream);
            stream.Write("add pid 7\n"u8);
            reader.ReadLine().ShouldBe("OK pid allows 7");
            stream.Write("quit\n"u8);
            reader.ReadLine().ShouldBe("OK");
        }

        _source.IsDetached.ShouldBeTrue();
    }

    private string Ask(string command) => _commands.Execute(command).ToProtocol().TrimEnd('\n');

    // The trace on a thread of its own, until it has ended.
    private Ended Run()
    {
        var thread = new Thread(() => _session.Run());
        thread.Start();
        return new Ended(thread);
    }

    private static void Eventually(Func<bool> condition) => SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(10)).ShouldBeTrue();

    private sealed class Ended(Thread thread) : IDisposable
    {
        public void Dispose() => thread.Join(TimeSpan.FromSeconds(10)).ShouldBeTrue();
    }

    /// <summary>A module that is not traced.</summary>
    private sealed class OtherModule : TraceModule
    {
        public override string Name => "other";

        public override string Summary => "";

        public override string CountKey => "pid";

        public override IReadOnlyList<Example> Examples => [];

        public override IReadOnlyList<ModuleFlag> Flags => [Thresholds.Slower];

        public override IReadOnlyList<HookRung> Rungs => [];

        public override byte[] ReadObject() => throw new NotSupportedException();
    }
}
