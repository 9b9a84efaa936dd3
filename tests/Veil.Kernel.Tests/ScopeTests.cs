// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>Who is traced by parent, cgroup and container, and what events say of them. The oracles are /proc and the cgroups that we
/// make.</summary>
public sealed class ScopeTests
{
    private const int Calls = 100;

    [Theory]
    [InlineData("tp_btf")]
    [InlineData("raw_tp")]
    public void Ppid_OfAChild_IsThatOfItsParent(string hook)
    {
        using var burst = Workload.Waiting("burst", $"{Calls}");
        string[] flags = ["-m", "syscall", "--hook", hook, "-n", "burst", "-s", "getppid", "-o", "json"];
        using var children =
            VeilRun.Attach([.. flags, "--ppid", $"{Environment.ProcessId}", "--enrich", "parent"]);
        using var others = VeilRun.Attach([.. flags, "--ppid", $"!{Environment.ProcessId}", "-p", burst.Pid]);
        burst.Go();
        children.Stop().ShouldBe(0);
        others.Stop().ShouldBe(0);

        others.Events.ShouldBeEmpty();
        children.ShouldAccountFor(children.Events.Length, Calls);
        string name = File.ReadAllText($"/proc/{Environment.ProcessId}/comm").TrimEnd('\n');
        children.Events.ShouldAllBe(e => e.GetProperty("ppid").GetInt32() == Environment.ProcessId && e.GetProperty("parent_comm").GetString() == name);
    }

    [CgroupTheory]
    [InlineData("tp_btf")]
    [InlineData("raw_tp")]
    public void Cgroup_WithWhatIsBelow_IsTraced(string hook)
    {
        using var group = new TestCgroup();
        using var below = group.Below("before");
        using var inside = Workload.Waiting("burst", $"{Calls}");
        using var deeper = Workload.Waiting("burst", $"{Calls}");
        using var later = Workload.Waiting("burst", $"{Calls}");
        using var outside = Workload.Waiting("burst", $"{Calls}");
        group.Take(inside.Pid);
        below.Take(deeper.Pid);
        string[] flags = ["-m", "syscall", "--hook", hook, "-n", "burst", "-s", "getppid", "-o", "json"];
        using var veil = VeilRun.Attach([.. flags, "--cgroup", group.Path, "--enrich", "cgroup"]);
        using var denied = VeilRun.Attach([.. flags, "--cgroup", "!" + group.Folder, "--enrich", "cgroup"]);
        using var made = group.Below("later");
        made.Take(later.Pid);
        var paths = new[] { inside, deeper, later }.ToDictionary(static some => some.Pid, static some => TestCgroup.Of(some.Pid).ToList());
        foreach (var some in new[] { inside, deeper, later, outside })
            some.Go();
        veil.Stop().ShouldBe(0);
        denied.Stop().ShouldBe(0);

        veil.ShouldHaveLostNothing();
        veil.Events.GroupBy(static e => $"{e.GetProperty("pid")}").ToDictionary(static of => of.Key, static of => of.Count())
            .ShouldBe(paths.Keys.ToDictionary(static pid => pid, static _ => Calls), ignoreOrder: true);
        veil.Events.ShouldAllBe(e => paths[$"{e.GetProperty("pid")}"].Contains(e.GetProperty("cgroup").GetString()!));
        denied.Events.Select(static e => $"{e.GetProperty("pid")}").Distinct().Where(pid => paths.ContainsKey(pid)).ShouldBeEmpty();
        denied.Events.Count(e => $"{e.GetProperty("pid")}" == outside.Pid).ShouldBe(Calls);
    }

    [CgroupFact]
    public void Cgroup_ChangedWhileItRuns_IsInForceAtOnce()
    {
        using var group = new TestCgroup();
        using var first = Workload.Waiting("burst", $"{Calls}");
        using var second = Workload.Waiting("burst", $"{Calls}");
        using var third = Workload.Waiting("burst", $"{Calls}");
        foreach (var some in new[] { first, second, third })
            group.Take(some.Pid);
        string socket = Path.Combine(Path.GetTempPath(), $"veil-{Guid.NewGuid():N}.sock");
        using var veil =
            VeilRun.Attach("-m", "syscall", "-n", "burst", "-s", "getppid", "-o", "json", "-p", "1", "--control", socket);
        using (var client = new SocketClient(socket))
        {
            client.Do("del pid 1");
            client.Do($"add cgroup !{group.Path}");
            first.Go();
            client.Do($"del cgroup !{group.Path}");
            client.Do($"add cgroup {group.Path}");
            second.Go();
            client.Do($"add cgroup !{group.Path}");
            third.Go();
            client.Ask("status")!.ShouldContain(group.Path);
        }

        veil.Stop().ShouldBe(0);
        veil.Events.Where(e => new[] { first.Pid, second.Pid, third.Pid }.Contains($"{e.GetProperty("pid")}"))
            .Select(static e => $"{e.GetProperty("pid")}").Distinct().ShouldBe([second.Pid]);
    }

    [CgroupTheory]
    [InlineData("syscall", "-s", "execve")]
    [InlineData("files", "--op", "open")]
    [InlineData("memory")]
    [InlineData("scheduler")]
    [InlineData("network")]
    public void Cgroup_OfEveryModule_IsTheOneOfTheTask(string module, params string[] flags)
    {
        using var group = new TestCgroup();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using var veil = VeilRun.Attach(["-m", module, .. flags, "--cgroup", group.Path, "--enrich", "parent,cgroup", "-o", "json"]);
        using var bash = Process.Start(
            "bash", ["-c", $"echo $$ > {group.Folder}/cgroup.procs; exec 3<>/dev/tcp/127.0.0.1/{port}; exec 3>&-; exec cat /etc/hostname"]);
        bash.WaitForExit();
        veil.Stop().ShouldBe(0);

        // Of a switch either side is in the cgroup.
        var own = module == "scheduler" ? [.. veil.Events.Where(e => e.GetProperty("pid").GetInt32() == bash.Id)] : veil.Events;
        own.ShouldNotBeEmpty();
        own.ShouldAllBe(e => e.GetProperty("pid").GetInt32() == bash.Id && e.GetProperty("ppid").GetInt32() == Environment.ProcessId
            && e.GetProperty("cgroup").GetString() == group.Path);
    }

    [CgroupTheory]
    [InlineData("cgroup")]
    [InlineData("ppid")]
    [InlineData("parent_comm")]
    public void Count_ByOrigin_IsTheSum(string field)
    {
        using var group = new TestCgroup();
        using var burst = Workload.Waiting("burst", $"{Calls}");
        group.Take(burst.Pid);
        string key = field switch
        {
            "cgroup" => group.Path,
            "ppid" => $"{Environment.ProcessId}",
            _ => File.ReadAllText($"/proc/{Environment.ProcessId}/comm").TrimEnd('\n'),
        };
        using var veil = VeilRun.Attach("-m", "syscall", "-p", burst.Pid, "-s", "getppid", "--count-by", field, "-o", "json");
        burst.Go();
        veil.Stop().ShouldBe(0);

        var rows = veil.Events.Where(e => e.TryGetProperty("count", out _)).ToList();
        rows.Count.ShouldBe(1);
        rows[0].GetProperty(field).ToString().ShouldBe(key);
        rows[0].GetProperty("count").GetInt64().ShouldBe(Calls);
    }

    [CgroupTheory]
    [InlineData("--cgroup")]
    [InlineData("--ppid")]
    public void Stuck_OfAScope_IsWhoIsInIt(string flag)
    {
        using var group = new TestCgroup();
        using var burst = Workload.Waiting("burst", "1");
        group.Take(burst.Pid);
        VeilRun.ToEnd("stuck", flag, flag == "--ppid" ? $"{Environment.ProcessId}" : group.Path, "-n", "burst", "-o", "json").Events
            .Select(static task => $"{task.GetProperty("pid")}").ShouldBe([burst.Pid]);
        VeilRun.ToEnd("stuck", flag, flag == "--ppid" ? $"!{Environment.ProcessId}" : "!" + group.Path, "-p", burst.Pid).Lines.ShouldBeEmpty();
        burst.Go();
    }

    /// <summary>What was decided about a container is not for ever.</summary>
    [CgroupFact]
    public void Container_AddedAfterItWasDropped_IsSeen()
    {
        using var group = new TestCgroup("/docker");
        string folder = Directory.CreateTempSubdirectory("veil-scope-").FullName;
        File.WriteAllText($"{folder}/script", $$$"""
            mount -t tmpfs none /var/lib || exit 9
            {{{Repository.Veil}}} -m syscall -s clock_nanosleep --container web -o json -w {{{folder}}}/out --control {{{folder}}}/sock 2> {{{folder}}}/err &
            until grep -q tracing {{{folder}}}/err; do sleep 0.05; done
            id=$(printf '%064x' 1)
            mkdir -p /var/lib/docker/containers/$id {{{group.Folder}}}/$id
            printf '{"ID":"%s","Name":"/other","Config":{"Image":"img:1"}}' $id > /var/lib/docker/containers/$id/config.v2.json
            nap() { sh -c 'echo $$ > {{{group.Folder}}}/'$id'/cgroup.procs; exec sleep 0.01'; }
            nap; sleep 2.5
            {{{Repository.Veil}}} control {{{folder}}}/sock add container other
            nap; rmdir {{{group.Folder}}}/$id
            kill -TERM %1; wait %1
            """);
        using var run = Process.Start("unshare", ["-m", "bash", "-m", $"{folder}/script"]);
        run.WaitForExit(TimeSpan.FromSeconds(60)).ShouldBeTrue();
        run.ExitCode.ShouldBe(0, File.ReadAllText($"{folder}/err"));

        File.ReadLines($"{folder}/out").Count().ShouldBe(1);
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Folders as docker writes them, in a mount namespace of their own; cgroups as it makes them.</summary>
    [CgroupFact]
    public void Container_ThatStartsDuringTheTrace_IsSeenFromItsFirstCall()
    {
        const int containers = 100;
        using var group = new TestCgroup("/docker");
        string script = Path.GetTempFileName(), output = Path.GetTempFileName(), errors = Path.GetTempFileName();
        string sleeper = Path.Combine(Path.GetTempPath(), "veil-in-container");
        File.Copy(new FileInfo("/bin/sleep").ResolveLinkTarget(true)?.FullName ?? "/bin/sleep", sleeper, overwrite: true);
        File.WriteAllText(script, $$$"""
            mount -t tmpfs none /var/lib || exit 9
            {{{Repository.Veil}}} -m syscall -n veil-in-contain -s clock_nanosleep --container web --enrich container -o json -w {{{output}}} 2> {{{errors}}} &
            until grep -q tracing {{{errors}}}; do sleep 0.05; done
            for i in $(seq {{{containers}}}); do
                id=$(printf '%064x' $i)
                mkdir -p /var/lib/docker/containers/$id
                name=$([ $((i % 2)) = 0 ] && echo web || echo other)
                [ $((i % 3)) = 0 ] && mkdir {{{group.Folder}}}/$id
                printf '{"ID":"%s","Name":"/%s","Config":{"Image":"img:1"}}' $id $name > /var/lib/docker/containers/$id/config.v2.json
                mkdir -p {{{group.Folder}}}/$id
                sh -c 'echo $$ > {{{group.Folder}}}/'$id'/cgroup.procs; exec {{{sleeper}}} 0'
                rmdir {{{group.Folder}}}/$id
            done
            sleep 1.5
            kill -TERM $!
            wait $!
            """);
        using var run = Process.Start("unshare", ["-m", "bash", script]);
        run.WaitForExit(TimeSpan.FromSeconds(120)).ShouldBeTrue();
        run.ExitCode.ShouldBe(0);

        var events = File.ReadLines(output).Select(static line => JsonDocument.Parse(line).RootElement).ToList();
        events.Count.ShouldBe(containers / 2);
        File.ReadAllText(errors).ShouldMatch("[0-9]+ dropped once the names of their new containers were known");
        events.ShouldAllBe(static e => e.GetProperty("container").GetString() == "web" && e.GetProperty("image").GetString() == "img:1");
        foreach (string file in new[] { script, output, errors, sleeper })
            File.Delete(file);
    }
}
