// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text.Json;
using Veil.Bpf;

namespace Veil.Kernel.Tests;

/// <summary>What a trace that has attached still may, and what its helper process does for it.</summary>
public sealed class PrivilegesTests
{
    private const string NobodysUser = "65533";

    // Before 5.19 the kernel asks for CAP_BPF (39) even of who holds a map's descriptor.
    private static readonly string s_capabilities =
        KernelFeatures.KernelVersion < new Version(5, 19) ? "0000008000000000" : "0000000000000000";

    [Theory]
    [InlineData("--module", "syscall")]
    [InlineData("--module", "syscall", "--enrich", "all")]
    [InlineData("--module", "syscall", "--count", "--interval", "0.2")]
    public void Running_AfterAttach_EveryThreadHoldsNothing(params string[] arguments)
    {
        string socket = SocketPath();
        using var veil = VeilRun.Attach([.. arguments, "-p", "1", "--control", socket]);
        using var client = new SocketClient(socket);
        client.Ask("status").ShouldNotBeNull();

        string[] tasks = Directory.GetDirectories($"/proc/{veil.Pid}/task");
        tasks.Length.ShouldBeGreaterThanOrEqualTo(3);
        foreach (string task in tasks)
        {
            bool reads = File.ReadAllText(task + "/comm").Trim() is "veil" or "veil-control";
            string thread = File.ReadAllText(task + "/comm");
            var status = Status(task);
            status["Uid"].ShouldBe(Four(NobodysUser), thread);
            status["Gid"].ShouldBe(Four(NobodysUser), thread);
            status["Groups"].ShouldBeEmpty(thread);
            status["CapInh"].ShouldBe("0000000000000000", thread);
            // Those that serve no command may hold even less.
            string[] allowed = reads ? [s_capabilities] : [s_capabilities, "0000000000000000"];
            status["CapPrm"].ShouldBeOneOf(allowed);
            status["CapEff"].ShouldBeOneOf(allowed);
            status["CapBnd"].ShouldBe("0000000000000000", thread);
            status["CapAmb"].ShouldBe("0000000000000000", thread);
            status["NoNewPrivs"].ShouldBe("1", thread);
            status["Seccomp"].ShouldBe("2", thread);
        }

        veil.Stop().ShouldBe(0);
        File.Exists(socket).ShouldBeFalse();
    }

    [Fact]
    public void Running_AfterAQuestion_EveryThreadHoldsNothing()
    {
        using var terminal =
            new Terminal(
            $"echo PID=$BASHPID.; exec {Repository.Veil} --module uprobe --uprobe {Repository.Workload("uprobe")}:traced_call");
        terminal.WaitFor("go on? [y/N]");
        string screen = terminal.Screen;
        int pid = int.Parse(screen.Split("PID=")[1].Split('.')[0]);
        terminal.Type("y\n");
        terminal.WaitFor("tracing uprobe");
        foreach (string task in Directory.GetDirectories($"/proc/{pid}/task"))
            Status(task)["CapBnd"].ShouldBe("0000000000000000", File.ReadAllText(task + "/comm"));
        terminal.Type("\u0003");
        terminal.WaitFor("veil $");
        terminal.Type("quit\r");
        terminal.End();
    }

    /// <summary>The table of docs/privileges.md, against what works here with all privileges and with the two capabilities.</summary>
    [Fact]
    public void Doctor_TwoCapabilities_AllowWhatTheDocsSay()
    {
        var all = Rungs(VeilRun.ToEnd("doctor", "--output", "json"));
        var two =
            Rungs(VeilRun.ToEndWith(
            "bash", "-c",
            "ulimit -l unlimited; exec setpriv --reuid=65534 --clear-groups --inh-caps=-all,+bpf,+perfmon " +
            "--ambient-caps=-all,+bpf,+perfmon \"$0\" doctor --output json", Repository.Veil));
        var modules = all.Keys.Select(static key => key.Module).Distinct().ToList();
        var rows = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "privileges.md"))
            .Where(static line => line.StartsWith("| `", StringComparison.Ordinal)).Select(static line => line.Split('|'))
            .Where(cells => cells.Length == 5 && modules.Contains(Ticked(cells[1])[0]))
            .ToDictionary(
                static cells => Ticked(cells[1]).Single(), static cells => (Two: Ticked(cells[2]), Root: Ticked(cells[3].Split('(')[0])));

        foreach (string module in modules)
            rows[module].Two.Concat(rows[module].Root)
                .ShouldBe(all.Keys.Where(key => key.Module == module).Select(static key => key.Rung), ignoreOrder: true, module);
        bool isParanoid = int.Parse(File.ReadAllText("/proc/sys/kernel/perf_event_paranoid")) > 2;
        foreach (var (key, _) in all.Where(static rung => rung.Value is null))
        {
            if (isParanoid && key.Rung is ("kprobe" or "perf"))
                two[key].ShouldNotBeNull($"{key}").ShouldContain("kernel.perf_event_paranoid is ");
            else if (rows[key.Module].Two.Contains(key.Rung))
                two[key].ShouldBeNull($"{key}");
            else if (key.Module != "uprobe")
                two[key].ShouldNotBeNull($"{key}");
        }
    }

    // Why each is not possible; null: it is.
    private static Dictionary<(string Module, string Rung), string?> Rungs(VeilRun doctor)
    {
        using (doctor)
        {
            return JsonDocument.Parse(doctor.RawOutput).RootElement.GetProperty("modules").EnumerateObject()
                .SelectMany(
                    static module => module.Value.GetProperty("hooks").EnumerateObject()
                    .Select(rung =>
                    (Key: (module.Name, rung.Name), WhyNot: rung.Value.GetProperty("possible").GetBoolean() ? null
                    : rung.Value.GetProperty("reason").GetString())))
                .ToDictionary(static rung => rung.Key, static rung => rung.WhyNot);
        }
    }

    private static string[] Ticked(string cell) => [.. cell.Split('`').Where(static (_, index) => index % 2 == 1)];

    [Fact]
    public void Running_NothingNeedsRoot_HasNoOtherProcess()
    {
        using var veil = VeilRun.Attach("--module", "syscall", "-p", "1", "--enrich", "time,user,proc,parent,cgroup");
        Children(veil.Pid).ShouldBeEmpty();
        veil.Stop().ShouldBe(0);
    }

    [Fact]
    public void Filter_ChangedAfterTheDrop_IsInForce()
    {
        string socket = SocketPath();
        using var burst = Workload.Waiting("burst", "1000");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", "1", "--syscall", "getppid", "--control", socket);
        using (var client = new SocketClient(socket))
            client.Do($"add pid {burst.Pid}");
        burst.Go();
        veil.Stop().ShouldBe(0);
        veil.ShouldAccountFor(veil.Lines.Length, 1000);
    }

    [Fact]
    public void Stats_AfterTheDrop_KnowTheMemoryOfMaps()
    {
        using var veil = VeilRun.Attach("--module", "syscall", "-p", "1", "--stats");
        veil.Stop().ShouldBe(0);
        veil.Errors.ShouldMatch(@" [1-9]\d*\.\d MiB in BPF maps");
    }

    [Fact]
    public void Helper_ForASocket_MayRemoveItAndNothingElse()
    {
        string socket = SocketPath();
        using var veil = VeilRun.Attach("--module", "syscall", "-p", "1", "--control", socket);
        int helper = Children(veil.Pid).ShouldHaveSingleItem();
        foreach (string task in Directory.GetDirectories($"/proc/{helper}/task"))
        {
            var status = Status(task);
            // CAP_DAC_OVERRIDE (1): the folder may be somebody else's.
            status["CapPrm"].ShouldBeOneOf("0000000000000002", "0000000000000000");
            status["CapBnd"].ShouldBe("0000000000000000");
            status["NoNewPrivs"].ShouldBe("1");
            status["Seccomp"].ShouldBe("2");
        }

        Directory.GetFiles($"/proc/{helper}/fd").Select(static fd => new FileInfo(fd).LinkTarget)
            .ShouldNotContain(static target => target!.Contains("bpf", StringComparison.Ordinal));
        foreach (string signal in new[] { "INT", "QUIT", "HUP", "TERM", "TSTP" })
            Process.Start("kill", ["-" + signal, helper.ToString()]).WaitForExit();
        veil.Stop().ShouldBe(0);
        File.Exists(socket).ShouldBeFalse();
        Directory.Exists($"/proc/{helper}").ShouldBeFalse();
    }

    [Fact]
    public void Helper_TraceIsKilled_RemovesTheSocketAndEnds()
    {
        string socket = SocketPath();
        using var veil = VeilRun.Attach("--module", "syscall", "-p", "1", "--control", socket);
        int helper = Children(veil.Pid).ShouldHaveSingleItem();
        veil.Signal("KILL");
        veil.WaitForExit();
        HasEnded(helper).ShouldBeTrue();
        // Nobody else was left to do it.
        File.Exists(socket).ShouldBeFalse();
    }

    /// <summary>The helper comes late, when its trace is gone and its socket too: what has the name by then is somebody else's, whatever
    /// its inode's number.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Helper_TraceIsKilledAndAnotherFileHasTheName_LeavesIt(bool isSocket)
    {
        string path = SocketPath();
        using var veil = VeilRun.Attach("--module", "syscall", "-p", "1", "--control", path);
        int helper = Children(veil.Pid).ShouldHaveSingleItem();
        using var stop = new Stop(helper);
        veil.Signal("KILL");
        veil.WaitForExit();
        using var next = isSocket ? VeilRun.Attach("--module", "syscall", "-p", "1", "--control", path) : null;
        if (!isSocket)
        {
            File.Delete(path);
            File.WriteAllText(path, "");
        }

        stop.Dispose();
        HasEnded(helper).ShouldBeTrue();
        File.Exists(path).ShouldBeTrue();
        if (next is null)
            File.Delete(path);
        else
            next.Stop().ShouldBe(0);
        File.Exists(path).ShouldBeFalse();
    }

    [Fact]
    public void Helper_Killed_IsSaidOnce()
    {
        string socket = SocketPath();
        using var veil = VeilRun.Attach("--module", "syscall", "-p", "1", "--control", socket);
        int helper = Children(veil.Pid).ShouldHaveSingleItem();
        Signal("KILL", helper);
        string line = $"veil: helper process {helper} has ended (SIGKILL): {socket} stays behind at the end; remove it then";
        Says(veil, line).ShouldBeTrue(veil.Errors);
        var watch = Stopwatch.StartNew();
        veil.Stop().ShouldBe(0);

        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(2));
        veil.Errors.Split('\n').Count(static said => said.Contains("helper", StringComparison.Ordinal)).ShouldBe(1, veil.Errors);
        File.Exists(socket).ShouldBeTrue();
        File.Delete(socket);
    }

    [Fact]
    public void Helper_Stopped_IsSaidAndNotWaitedFor()
    {
        string socket = SocketPath();
        using var veil = VeilRun.Attach("--module", "syscall", "-p", "1", "--control", socket);
        int helper = Children(veil.Pid).ShouldHaveSingleItem();
        using var stop = new Stop(helper);
        Says(veil, $"veil: helper process {helper} is stopped: {socket} stays behind at the end; kill -CONT {helper} lets it go on")
            .ShouldBeTrue(veil.Errors);
        var watch = Stopwatch.StartNew();
        veil.Stop().ShouldBe(0);

        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(2));
        veil.Errors.ShouldContain(
            $"veil: helper process {helper} is stopped, and is left behind with {socket}: kill -CONT {helper} lets it remove that and end");
        stop.Dispose();
        HasEnded(helper).ShouldBeTrue();
        File.Exists(socket).ShouldBeFalse();
    }

    /// <summary>In the second before it would be noticed: the end says it then.</summary>
    [Fact]
    public void Helper_StoppedJustBeforeTheEnd_IsNotWaitedFor()
    {
        string socket = SocketPath();
        using var veil = VeilRun.Attach("--module", "syscall", "-p", "1", "--control", socket);
        int helper = Children(veil.Pid).ShouldHaveSingleItem();
        using var stop = new Stop(helper);
        var watch = Stopwatch.StartNew();
        veil.Stop().ShouldBe(0);

        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(2));
        veil.Errors.ShouldContain($"helper process {helper} is stopped, and is left behind with {socket}");
        stop.Dispose();
        HasEnded(helper).ShouldBeTrue();
    }

    [Fact]
    public void Helper_StoppedForAWhile_GoesOn()
    {
        string socket = SocketPath();
        using var veil = VeilRun.Attach("--module", "syscall", "-p", "1", "--control", socket);
        int helper = Children(veil.Pid).ShouldHaveSingleItem();
        using var stop = new Stop(helper);
        Says(veil, "is stopped").ShouldBeTrue(veil.Errors);
        stop.Dispose();
        veil.Stop().ShouldBe(0);

        File.Exists(socket).ShouldBeFalse();
        HasEnded(helper).ShouldBeTrue();
    }

    [Fact]
    public void ProcName_HelperIsStopped_CostsNoEventsAndIsSaid()
    {
        using var hold = Workload.Waiting("hold", "20");
        using var veil = AttachWithHiddenProcesses("--name", "hold");
        int helper = Children(veil.Pid).ShouldHaveSingleItem();
        using var stop = new Stop(helper);
        hold.Go();
        Says(veil,
            $"helper process {helper} is stopped: names of processes that /proc hides are not found; kill -CONT {helper} lets it go on")
            .ShouldBeTrue(veil.Errors);
        var watch = Stopwatch.StartNew();
        veil.Stop().ShouldBe(0);

        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(2));
        veil.Lines.ShouldContain("comm=hold proc_name=?");
        veil.ShouldHaveLostNothing();
        stop.Dispose();
        HasEnded(helper).ShouldBeTrue();
    }

    [Fact]
    public void ProcName_ProcHidesProcesses_IsKnownThroughTheHelper()
    {
        using var hold = Workload.Waiting("hold", "20");
        using var veil = AttachWithHiddenProcesses("--name", "hold,veil-root");
        hold.Go();
        veil.Stop().ShouldBe(0);
        // The helper made calls for each name that it was asked for, and they are Veil's own.
        veil.Lines.ShouldContain("comm=hold proc_name=hold");
        veil.Lines.Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public void ProcName_ProcHidesProcesses_TheHelperIsTracedWithIncludeSelf()
    {
        using var hold = Workload.Waiting("hold", "20");
        using var veil = AttachWithHiddenProcesses("--name", "hold,veil-root", "--include-self");
        hold.Go();
        veil.Stop().ShouldBe(0);
        veil.Lines.ShouldContain("comm=veil-root proc_name=veil-root");
    }

    private static VeilRun AttachWithHiddenProcesses(params string[] arguments) => VeilRun.AttachUnder(
        ["unshare", "--mount", "--propagation", "private", "bash", "-c", "mount -t proc -o hidepid=2 proc /proc && exec \"$@\"", "bash"],
        ["--module", "syscall", "--enrich", "proc", "--fields", "comm,proc_name", .. arguments]);

    private static void Signal(string name, int pid) => Process.Start("kill", ["-" + name, pid.ToString()]).WaitForExit();

    /// <summary>A process that is stopped until this is disposed, also where the test fails.</summary>
    private sealed class Stop : IDisposable
    {
        private readonly int _pid;

        public Stop(int pid)
        {
            _pid = pid;
            Signal("STOP", pid);
        }

        public void Dispose() => Signal("CONT", _pid);
    }

    private static bool Says(VeilRun veil, string line) =>
        SpinWait.SpinUntil(() => veil.Errors.Contains(line, StringComparison.Ordinal), TimeSpan.FromSeconds(10));

    // Who inherits an orphan may leave it a zombie for a while.
    // It may go at any time, also while its status is read (ESRCH).
    private static bool HasEnded(int pid) => SpinWait.SpinUntil(
        () =>
        {
            try
            {
                return Status($"/proc/{pid}")["State"].StartsWith('Z');
            }
            catch (IOException)
            {
                return true;
            }
        },
        TimeSpan.FromSeconds(10));

    private static string SocketPath() => $"/run/veil-privileges-{Guid.NewGuid():N}";

    private static string Four(string id) => string.Join('\t', id, id, id, id);

    private static List<int> Children(int pid) =>
        [.. Directory.GetDirectories($"/proc/{pid}/task")
            .SelectMany(static task => File.ReadAllText(task + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Select(int.Parse)];

    private static Dictionary<string, string> Status(string folder) =>
        File.ReadLines(folder + "/status").Select(static line => line.Split(':', 2))
            .ToDictionary(static parts => parts[0], static parts => parts[1].Trim());
}
