// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>Containers and pods that podman has made, as root, with its files in a mount namespace of their own. The oracle is <c>podman
/// inspect</c>.</summary>
public sealed class PodmanTests : IDisposable
{
    private const string Image = "localhost/veil-test:1";

    // Where it may not write, or has nothing of its own: it is not installed.
    private const string Preparation = """
        set -eu
        mount --make-rprivate /
        mount -t tmpfs tmpfs /var/lib
        mount -t tmpfs tmpfs /run
        export HOME=$work LD_LIBRARY_PATH=$(dirname $(find $root/usr/lib -name 'libgpgme.so.*' | head -1))
        export CONTAINERS_CONF=$work/containers.conf CONTAINERS_REGISTRIES_CONF=/dev/null
        mkdir -p $work/.config/containers $work/image
        echo '{"default":[{"type":"insecureAcceptAnything"}]}' >$work/.config/containers/policy.json
        cat >$CONTAINERS_CONF <<END
        [containers]
        default_ulimits = ["nofile=256:256", "nproc=256:256"]
        [engine]
        cgroup_manager = "cgroupfs"
        events_logger = "none"
        conmon_path = ["$root/usr/bin/conmon"]
        runtime = "runc"
        [engine.runtimes]
        runc = ["$runc"]
        END
        podman() { "$root/usr/bin/podman" --storage-driver vfs "$@" </dev/null; }
        trap 'podman rm -f -t 0 -a >/dev/null 2>&1; podman pod rm -f -a >/dev/null 2>&1' EXIT
        cp $hold $work/image/hold
        tar -C $work/image -c . | "$root/usr/bin/podman" --storage-driver vfs import - $image >/dev/null 2>&1

        """;

    private static readonly string[] s_shown = ["runtime", "name", "image", "pod", "processes"];

    private readonly string _work = Directory.CreateTempSubdirectory("veil-podman-").FullName;

    public void Dispose() => Directory.Delete(_work, recursive: true);

    [PodmanFact]
    public void ListContainers_OfPodman_HasNamesImagesAndPods()
    {
        var said = Run("""
            podman run -d --network none --name plain $image /hold 0 >/dev/null
            podman run -d --network none --annotation io.kubernetes.pod.name=lie --label 'id=x' --name before $image /hold 0 >/dev/null
            podman rename before renamed
            podman pod create --network none --name shop --infra-image $image --infra-command '/hold 0' >/dev/null
            podman run -d --pod shop --name cart $image /hold 0 >/dev/null
            podman pod create --infra=false --name bare >/dev/null
            podman run -d --network none --pod bare --name inside $image /hold 0 >/dev/null
            podman ps --pod --no-trunc --format '{{.ID}} {{.Names}} {{.Image}} {{.PodName}}' | sed 's/^/oracle /'
            $veil --list-containers -o json
            """);
        string?[][] oracle =
            [.. said.Where(static line => line.StartsWith("oracle ", StringComparison.Ordinal)).Select(static line => line.Split(' ')[1..])];
        oracle.Length.ShouldBe(5);
        var shown = said.Where(static line => line.StartsWith('{')).Select(static line => JsonDocument.Parse(line).RootElement).ToList();

        foreach (string?[] of in oracle)
        {
            var container = shown.Single(some => some.GetProperty("id").GetString() == of[0]);
            s_shown.Select(name => container.GetProperty(name).ToString())
                .ShouldBe(["podman", of[1]!, of[2]!, of[3]!, "1"], of[1]);
        }

        // The pod's own group is no container.
        shown.Count(static some => some.GetProperty("cgroup").GetString()!.Contains("libpod", StringComparison.Ordinal)
            && some.GetProperty("processes").GetInt32() > 0).ShouldBe(oracle.Length);
    }

    [PodmanFact]
    public void Pod_ThatStartsLater_IsTracedFromItsFirstExecve()
    {
        var said = Run("""
            $veil -q --module process --event EXEC --pod shop --enrich container -o json >$work/events &
            veil_pid=$!
            $veil -q --module process --event EXEC --container '!plain' --enrich container -o json >$work/others &
            others_pid=$!
            sleep 3
            podman run -d --network none --name plain $image /hold 0 >/dev/null
            podman pod create --network none --name shop --infra-image $image --infra-command '/hold 0' >/dev/null
            podman run -d --pod shop --name cart $image /hold 0 >/dev/null
            sleep 2
            kill -TERM $veil_pid $others_pid
            wait $veil_pid $others_pid
            cat $work/events
            grep '"exe":"/hold"' $work/others | sed 's/^/other /'
            """);
        var events = said.Where(static line => line.StartsWith('{')).Select(static line => JsonDocument.Parse(line).RootElement).ToList();
        events.Select(Facts).ShouldContain(("/hold", "cart", "shop"));
        events.ShouldAllBe(static shown => shown.GetProperty("pod").GetString() == "shop");
        var others = said.Where(static line => line.StartsWith("other {", StringComparison.Ordinal))
            .Select(static line => Facts(JsonDocument.Parse(line["other ".Length..]).RootElement).Container).ToList();
        others.ShouldContain("cart");
        others.ShouldNotContain("plain");
    }

    [PodmanFact]
    public void Container_AddedWhileItRuns_IsInForce()
    {
        var said = Run("""
            podman run -d --network none --name early $image /hold 0 >/dev/null
            $veil -q --module syscall -s getppid -n hold --control $work/socket -o json >$work/events &
            veil_pid=$!
            until [ -S $work/socket ]; do sleep 0.1; done
            sleep 2
            seen() { local before; sleep 0.5; before=$(wc -l <$work/events); sleep 1; echo "$1 $(($(wc -l <$work/events) - before > 0))"; }
            seen free
            $veil control $work/socket add container_deny early
            seen denied
            $veil control $work/socket del container_deny early
            $veil control $work/socket add container early
            seen allowed
            $veil control $work/socket del container early
            $veil control $work/socket add container nosuch
            seen other
            kill -TERM $veil_pid
            wait $veil_pid
            """);
        said.Where(static line => line.Split(' ') is [_, "0" or "1"]).ShouldBe(["free 1", "denied 0", "allowed 1", "other 0"]);
        said.ShouldContain("container allows nosuch; --container: no container is called 'nosuch' now (veil --list-containers)");
    }

    private static (string? Filename, string? Container, string? Pod) Facts(JsonElement shown) =>
        (shown.GetProperty("filename").GetString(), shown.GetProperty("container").GetString(), shown.GetProperty("pod").GetString());

    private string[] Run(string script)
    {
        File.WriteAllText(Path.Combine(_work, "script"), Preparation + script);
        var start = new ProcessStartInfo("unshare", ["-m", "bash", Path.Combine(_work, "script")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["root"] = PodmanFactAttribute.Root, ["runc"] = RuncFactAttribute.Path, ["veil"] = Repository.Veil, ["work"] = _work,
                ["hold"] = Repository.Workload("hold"), ["image"] = Image,
            },
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        string[] lines = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        process.WaitForExit();
        process.ExitCode.ShouldBe(0, errors.Result);
        return lines;
    }
}
