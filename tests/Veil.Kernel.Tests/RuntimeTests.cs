// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>Containers that real runtimes have made, as root, with their files in a mount namespace of their own. The oracles are what the
/// runtimes list.</summary>
public sealed class RuntimeTests : IDisposable
{
    private const string Image = "localhost/veil-test:1";

    // They are not installed: what they write is in memory, and their groups are removed.
    private const string Preparation = """
        set -eu
        mount --make-rprivate /
        mount -t tmpfs tmpfs /var/lib
        mount -t tmpfs tmpfs /run
        export HOME=$work PATH=$root/usr/bin:$(dirname $runc):$PATH LIBRARIES=$(dirname $(find $root/usr/lib -name "libgpgme.so.*" | head -1))
        export LD_LIBRARY_PATH=$LIBRARIES:${LIBRARIES/usr\/lib/lib}
        mkdir -p $work/image
        cp $hold $work/image/hold
        end() {
            stop >/dev/null 2>&1 || true
            for group in $groups; do
                for folder in /sys/fs/cgroup/$group /sys/fs/cgroup/*/$group; do
                    find $folder -depth -type d -exec rmdir {} \; 2>/dev/null || true
                done
            done
        }
        trap end EXIT

        """;

    private const string Podman = Preparation + """
        groups=libpod_parent
        export CONTAINERS_CONF=$work/containers.conf CONTAINERS_REGISTRIES_CONF=/dev/null
        mkdir -p $work/.config/containers
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
        stop() { podman rm -f -t 0 -a; podman pod rm -f -a; }
        tar -C $work/image -c . | "$root/usr/bin/podman" --storage-driver vfs import - $image >/dev/null 2>&1

        """;

    private static readonly string[] s_shown = ["runtime", "name", "image", "pod", "processes"];

    private static readonly string[] s_listed = ["runtime", "name", "image", "pod", "pod_namespace"];

    private readonly string _work = Directory.CreateTempSubdirectory("veil-runtime-").FullName;

    public void Dispose() => Directory.Delete(_work, recursive: true);

    [RuntimeFact("podman")]
    public void ListContainers_OfPodman_HasNamesImagesAndPods()
    {
        var said = Run(Podman, """
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

    [RuntimeFact("podman")]
    public void Pod_ThatStartsLater_IsTracedFromItsFirstExecve()
    {
        var said = Run(Podman, """
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

    [RuntimeFact("podman")]
    public void Container_AddedWhileItRuns_IsInForce()
    {
        var said = Run(Podman, """
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

    [RuntimeFact("dockerd")]
    public void ListContainers_OfDocker_HasNamesAndImages()
    {
        var said = Run(Preparation, """
            groups='docker veil-test-parent'
            stop() { docker rm -f $(docker ps -aq); kill $daemon; wait $daemon; }
            echo '{}' >$work/none
            mkdir -p /run/etc /run/etc-work
            mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/etc-work /etc
            dockerd --config-file $work/none --iptables=false --ip6tables=false --bridge=none --storage-driver=vfs \
                --userland-proxy=false >$work/log 2>&1 &
            daemon=$!
            for try in $(seq 100); do docker version >/dev/null 2>&1 && break; sleep 0.2; done
            tar -C $work/image -c . | docker import - veil-test:1 >/dev/null
            docker run -d --network none --ulimit nofile=256:256 --name web veil-test:1 /hold 0 >/dev/null
            docker run -d --network none --ulimit nofile=256:256 --cgroup-parent /veil-test-parent --label io.kubernetes.pod.name=lie --name other veil-test:1 /hold 0 >/dev/null
            docker rename web renamed
            docker ps --no-trunc --format '{{.ID}} {{.Names}} {{.Image}}' | sed 's/$/ docker/; s/^/oracle /'
            $veil --list-containers -o json
            """);
        ShouldList(said, expected: 2);
    }

    [RuntimeFact("ctr")]
    public void ListContainers_OfContainerd_HasNamesAndPods()
    {
        var said = Run(Preparation, """
            groups='veil-test-ns kubepods'
            id=$(printf '%064x' 77)
            stop() { ctr -n veil-test-ns task rm -f web; ctr -n k8s.io task rm -f $id; kill $daemon; wait $daemon; }
            containerd --root /var/lib/containerd --state /run/containerd >$work/log 2>&1 &
            daemon=$!
            for try in $(seq 100); do ctr version >/dev/null 2>&1 && break; sleep 0.2; done
            ctr -n veil-test-ns run -d --rootfs $work/image web /hold 0
            ctr -n k8s.io run -d --annotation io.kubernetes.cri.container-name=app --annotation io.kubernetes.cri.image-name=app:2 \
                --annotation io.kubernetes.cri.sandbox-name=shop-0 --annotation io.kubernetes.cri.sandbox-namespace=prod \
                --cgroup /kubepods/burstable/pod0c1d2e3f-1111-4222-8333-444455556666/$id --rootfs $work/image $id /hold 0
            echo "oracle web web  containerd"
            echo "oracle $id app app:2 containerd shop-0 prod"
            $veil --list-containers -o json
            """);
        ShouldList(said, expected: 2);
    }

    [RuntimeFact("lxc-start")]
    public void ListContainers_OfLxc_HasNames()
    {
        var said = Run(Preparation, """
            groups='lxc.payload.veil-test lxc.monitor.veil-test lxc.pivot'
            stop() { lxc-stop -k -n veil-test; }
            mkdir -p /var/lib/lxc/veil-test $work/mount
            printf 'lxc.rootfs.path = dir:%s/image\nlxc.rootfs.mount = %s/mount\nlxc.net.0.type = empty\nlxc.init.cmd = /hold 0\n' $work $work \
                >/var/lib/lxc/veil-test/config
            lxc-start -n veil-test
            echo "oracle veil-test veil-test  lxc"
            $veil --list-containers -o json
            """);
        ShouldList(said, expected: 1);
    }

    // "oracle ID NAME IMAGE RUNTIME [POD NAMESPACE]"
    private static void ShouldList(string[] said, int expected)
    {
        string[][] oracle =
            [.. said.Where(static line => line.StartsWith("oracle ", StringComparison.Ordinal)).Select(static line => line.Split(' ')[1..])];
        oracle.Length.ShouldBe(expected, string.Join('\n', said));
        var shown = said.Where(static line => line.StartsWith('{')).Select(static line => JsonDocument.Parse(line).RootElement).ToList();
        foreach (string[] of in oracle)
        {
            var container = shown.Single(some => some.GetProperty("id").GetString() == of[0]);
            s_listed.Select(name => container.GetProperty(name).ToString())
                .ShouldBe([of[3], of[1], of[2], of.ElementAtOrDefault(4) ?? "", of.ElementAtOrDefault(5) ?? ""], of[1]);
        }
    }

    private string[] Run(string preparation, string script)
    {
        File.WriteAllText(Path.Combine(_work, "script"), preparation + script);
        var start = new ProcessStartInfo("unshare", ["-m", "bash", Path.Combine(_work, "script")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["root"] = RuntimeFactAttribute.Root, ["runc"] = RuncFactAttribute.Path, ["veil"] = Repository.Veil, ["work"] = _work,
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
