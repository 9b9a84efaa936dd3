// SPDX-License-Identifier: GPL-3.0-only
using System.Text.Json;

namespace Veil.Core.Containers;

/// <summary>Names from the files that the runtimes keep themselves: no daemon is asked.</summary>
/// <param name="root">The root folder.</param>
/// <param name="homeOf">The home folder of a user.</param>
internal sealed class RuntimeFiles(string root, Func<uint, string?> homeOf)
{
    // A name that is longer is nobody's.
    private const int NameCharsMax = 1024;

    // What a sandbox, which holds the namespaces of a pod, is called since there were pods.
    private const string Sandbox = "POD";

    private const string Containerd = "run/containerd/runc"; // what runc keeps for it, by namespaces
    private const string DockerDefault = "var/lib/docker";
    private static readonly string[] s_drivers = ["overlay", "vfs", "btrfs", "zfs"];
    private static readonly string[] s_bundles =
    [
        "run/containerd/io.containerd.runtime.v2.task", "run/k3s/containerd/io.containerd.runtime.v2.task",
        "var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task",
    ];

    private static readonly string[] s_namespaces = ["k8s.io", "default", "moby"];

    private static readonly string[] s_states =
    [
        "var/lib/docker", "run/containerd", "run/k3s", "var/snap/microk8s", "var/lib/containers", "run/crio", "run/runc", "run/crun",
        "var/log/pods",
    ];

    private readonly StateFolder _system = new(root);
    private readonly Dictionary<(string Folder, string Id), (string Runtime, HashSet<string> Groups)> _groups = [];

    /// <summary>Has any runtime left anything here?</summary>
    public bool IsAnyThere =>
        s_states.Concat(_system.Names("run/user").SelectMany(static user => new[] { $"run/user/{user}/containers", $"run/user/{user}/docker" }))
        .Any(state => _system.Names(state).Count > 0);

    /// <summary>What is known of a container.</summary>
    public ContainerFacts Find(ContainerPlace place)
    {
        if (place.IsNested)
            return default;
        if (place.User is > 0 and { } user)
            return homeOf(user) is { } home ? OfUser(place, new StateFolder(root, home)) : default;
        bool mayBe(string runtime) => place.Runtime is null || place.Runtime == runtime;
        ContainerFacts facts = default;
        if (mayBe("docker"))
            facts = Docker(place, _system, DockerFolder() + "/containers");
        if (facts.Runtime is null && (mayBe("podman") || mayBe("crio")))
            facts = Storage(place, _system, "var/lib/containers/storage");
        if (facts.Runtime is null && mayBe("containerd"))
            facts = Bundle(place);
        return facts.Or(Kubelet(place, facts));
    }

    /// <summary>A container that runc or crun made in a group of any name.</summary>
    public ContainerPlace? FindByState(string path)
    {
        if (path.Length <= 1)
            return null;
        ReadStates("runc", "run/runc", "state.json");
        ReadStates("crun", "run/crun", "status");
        foreach (string space in _system.Names(Containerd))
            ReadStates("containerd", $"{Containerd}/{space}", "state.json");
        for (string group = path; group.Length > 1; group = group[..Math.Max(0, group.LastIndexOf('/'))])
        {
            foreach (var ((_, id), (runtime, groups)) in _groups)
            {
                if (groups.Contains(group))
                    return new(id, runtime, null, null, group, null, IsNested: false);
            }
        }

        return null;
    }

    // A state is read once: what it says of groups stays.
    private void ReadStates(string runtime, string folder, string file)
    {
        var names = _system.Names(folder).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in _groups.Keys.Where(known => known.Folder == folder && !names.Contains(known.Id)).ToList())
            _groups.Remove(gone);
        foreach (string id in names)
        {
            if (!_groups.ContainsKey((folder, id)) && GroupsOf(runtime, $"{folder}/{id}/{file}") is { Count: > 0 } groups)
                _groups[(folder, id)] = (runtime, groups);
        }
    }

    // Of runc the groups by hierarchies, as paths from the root of files; of crun one, from the root of its hierarchy.
    private HashSet<string> GroupsOf(string runtime, string file)
    {
        const string mounts = "/sys/fs/cgroup";
        using var state = _system.Json(file);
        if (state is null)
            return [];
        if (runtime == "crun")
            return Text(state.RootElement, "cgroup-path") is { Length: > 1 } only ? [only] : [];
        if (Member(state.RootElement, "cgroup_paths") is not { ValueKind: JsonValueKind.Object } paths)
            return [];
        var groups = new HashSet<string>(StringComparer.Ordinal);
        foreach (string full in paths.EnumerateObject().Select(static path => TextOf(path.Value)).OfType<string>())
        {
            if (!full.StartsWith(mounts + "/", StringComparison.Ordinal))
                continue;
            // /sys/fs/cgroup/GROUP, or /sys/fs/cgroup/HIERARCHY/GROUP.
            string below = full[mounts.Length..];
            groups.Add(below);
            if (below.IndexOf('/', 1) is > 0 and var end)
                groups.Add(below[end..]);
        }

        return groups;
    }

    private static ContainerFacts OfUser(ContainerPlace place, StateFolder home)
    {
        var facts = place.Runtime is null or "docker" ? Docker(place, home, ".local/share/docker/containers") : default;
        return facts.Runtime is null && place.Runtime is null or "podman" ? Storage(place, home, ".local/share/containers/storage") : facts;
    }

    // The only setting that moves the files.
    private string DockerFolder()
    {
        using var settings = _system.Json("etc/docker/daemon.json");
        return settings is not null && Text(settings.RootElement, "data-root") is ['/', ..] folder ? folder[1..] : DockerDefault;
    }

    private static ContainerFacts Docker(ContainerPlace place, StateFolder folder, string containers)
    {
        using var document = folder.Json($"{containers}/{place.Id}/config.v2.json");
        if (document is null || Text(document.RootElement, "ID") != place.Id)
            return default;
        var config = Member(document.RootElement, "Config");
        var labels = Member(config, "Labels");
        string? name = Text(document.RootElement, "Name")?.TrimStart('/');
        // Anybody may give such labels to a container: they count in a pod's group alone.
        var facts = place.PodUid is null ? default : Labels(labels);
        return facts with { Runtime = "docker", Name = facts.Name ?? name, Image = Text(config, "Image") };
    }

    // podman and CRI-O keep containers in the same kind of folder.
    private static ContainerFacts Storage(ContainerPlace place, StateFolder folder, string storage)
    {
        foreach (string driver in s_drivers)
        {
            string containers = $"{storage}/{driver}-containers";
            var stored = Stored(folder, containers + "/containers.json", place.Id)
                ?? Stored(folder, containers + "/volatile-containers.json", place.Id);
            using var spec = folder.Json($"{containers}/{place.Id}/userdata/config.json");
            if (stored is null && spec is null)
                continue;
            var annotations = Member(spec?.RootElement, "annotations");
            bool isCrio = place.Runtime is "crio" || (place.Runtime is null && Text(annotations, "io.container.manager") == "cri-o");
            var facts = place.PodUid is null && !isCrio ? default : Labels(annotations);
            if (!isCrio && (place.PodId ?? Text(annotations, "io.kubernetes.cri-o.SandboxID")) is { } pod)
                facts = facts with { Pod = PodmanPods.NameOf(folder, storage, pod) };
            return (facts with { Runtime = isCrio ? "crio" : "podman", Image = Text(annotations, "io.kubernetes.cri-o.ImageName") })
                .Or(stored ?? default);
        }

        return default;
    }

    // "metadata" is JSON in a string.
    private static ContainerFacts? Stored(StateFolder folder, string file, string id)
    {
        using var list = folder.Json(file);
        if (list is not { RootElement.ValueKind: JsonValueKind.Array })
            return null;
        foreach (var container in list.RootElement.EnumerateArray())
        {
            if (Text(container, "id") != id)
                continue;
            string? image = null;
            try
            {
                using var metadata = JsonDocument.Parse(Text(container, "metadata", StateFolder.FileBytesMax) ?? "null");
                image = Text(metadata.RootElement, "image-name");
            }
            catch (JsonException)
            {
            }

            var names = Member(container, "names");
            bool isNamed = names is { ValueKind: JsonValueKind.Array } && names.Value.GetArrayLength() > 0;
            return new ContainerFacts(Name: isNamed ? TextOf(names!.Value[0]) : null, Image: image);
        }

        return null;
    }

    // What runs a container has its bundle while it does.
    private ContainerFacts Bundle(ContainerPlace place)
    {
        foreach (string folder in s_bundles)
        {
            foreach (string space in s_namespaces)
            {
                using var spec = _system.Json($"{folder}/{space}/{place.Id}/config.json");
                if (spec is null)
                    continue;
                var annotations = Member(spec.RootElement, "annotations");
                string? of(string name) => Text(annotations, "io.kubernetes.cri." + name);
                return new(
                    space == "moby" ? "docker" : "containerd",
                    of("container-type") == "sandbox" ? Sandbox : of("container-name") ?? Text(annotations, "nerdctl/name"),
                    of("image-name"), of("sandbox-name"), of("sandbox-namespace"), of("sandbox-uid"));
            }
        }

        return default;
    }

    // Names of folders alone: NAMESPACE_POD_UID, and POD_NAMESPACE_CONTAINER-ID.log.
    private ContainerFacts Kubelet(ContainerPlace place, in ContainerFacts known)
    {
        if (place.PodUid is not { } uid || (known.Pod is not null && known.Name is not null))
            return default;
        string ending = $"-{place.Id}.log";
        string? log = _system.Names("var/log/containers").FirstOrDefault(name => name.EndsWith(ending, StringComparison.Ordinal));
        string? container = log?[..^ending.Length].Split('_') is [_, _, var last] ? last : null;
        string? pod = _system.Names("var/log/pods").FirstOrDefault(name => name.EndsWith("_" + uid, StringComparison.Ordinal));
        return pod?.Split('_') is [var space, var name, _] ? new(Name: container, Pod: name, PodNamespace: space) : new(Name: container);
    }

    private static ContainerFacts Labels(JsonElement? labels) => new(
        Name: Text(labels, "io.kubernetes.cri-o.ContainerType") == "sandbox" ? Sandbox : Text(labels, "io.kubernetes.container.name"),
        Pod: Text(labels, "io.kubernetes.pod.name"), PodNamespace: Text(labels, "io.kubernetes.pod.namespace"),
        PodUid: Text(labels, "io.kubernetes.pod.uid"));

    private static JsonElement? Member(JsonElement? parent, string name) =>
        parent is { ValueKind: JsonValueKind.Object } && parent.Value.TryGetProperty(name, out var value) ? value : null;

    private static string? Text(JsonElement? parent, string name, int most = NameCharsMax) =>
        Member(parent, name) is { } value ? TextOf(value, most) : null;

    private static string? TextOf(JsonElement value, int most = NameCharsMax)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text && text.Length <= most ? text : null;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, or bytes that are not UTF-8.
            return null;
        }
    }
}
