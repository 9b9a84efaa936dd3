// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;

namespace Veil.Core.Containers;

/// <summary>What the path of a cgroup says by itself: each runtime has its own forms.</summary>
/// <param name="Id">The container's id, or a machine's name.</param>
/// <param name="Runtime">The runtime; null where an id alone stands there.</param>
/// <param name="PodUid">The UID of the pod it belongs to.</param>
/// <param name="PodId">The id of its pod, of podman's.</param>
/// <param name="CgroupPath">The part of the path that is the container itself.</param>
/// <param name="User">The user below whose slice it is; null for the system's.</param>
/// <param name="IsNested">Is it a container in a container? Files outside are not about it.</param>
internal sealed record ContainerPlace(
    string Id, string? Runtime, string? PodUid, string? PodId, string CgroupPath, uint? User, bool IsNested)
{
    // What the groups of containers are called by systemd drivers, and by some that make groups themselves.
    private static readonly (string Prefix, string Runtime)[] s_prefixes =
    [
        ("docker-", "docker"), ("libpod-payload-", "podman"), ("libpod-", "podman"), ("cri-containerd-", "containerd"), ("crio-", "crio"),
        ("nerdctl-", "containerd"), ("runc-", "runc"), ("crun-", "crun"),
    ];

    // The groups that hold containers by their bare ids.
    private static readonly (string Folder, string Runtime)[] s_folders =
        [("docker", "docker"), ("moby", "docker"), ("k8s.io", "containerd")];

    /// <summary>The innermost container of a path; null where there is none.</summary>
    public static ContainerPlace? Find(string path)
    {
        ContainerPlace? found = null;
        string? pod = null, podId = null;
        uint? user = null;
        string before = "";
        for (int at = 0, end; at < path.Length; at = end)
        {
            int start = path[at] == '/' ? at + 1 : at;
            end = path.IndexOf('/', start) is >= 0 and var slash ? slash : path.Length;
            string name = path[start..end];
            if (start == "/user.slice/".Length && before == "user.slice")
                user = UserOf(name);
            pod = PodOf(name) ?? pod;
            podId = PodmanPodOf(name, before) ?? podId;
            // A group below that says the same once more is no container of its own: podman's libpod-payload-ID.
            if (Of(name, before) is var (id, runtime) && id != podId && found?.Id != id)
                found = new(id, runtime, pod, podId, path[..end], user, found is not null);
            before = name;
        }

        return found;
    }

    private static (string Id, string? Runtime)? Of(string name, string before)
    {
        string bare = Without(name, ".scope");
        foreach (var (prefix, runtime) in s_prefixes)
        {
            if (!bare.StartsWith(prefix, StringComparison.Ordinal))
                continue;
            // What podman and CRI-O call "-conmon-ID" watches the container and is not in it. Ids of runc and crun are any names.
            string id = bare[prefix.Length..];
            if (IsId(id) || (runtime is "runc" or "crun" && id.Length > 0 && bare.Length < name.Length))
                return (id, runtime);
        }

        // "SLICE:RUNTIME:ID": a path for systemd's driver, given to one that makes groups itself.
        if (name.Split(':') is [_, var whose, var last] && IsId(last))
            return (last, whose switch { "cri-containerd" or "nerdctl" => "containerd", "docker" or "crio" => whose, _ => null });
        if (IsId(name))
            return (name, Array.Find(s_folders, folder => folder.Folder == before).Runtime);
        return MachineOf(name, before) ?? LxcOf(name, before);
    }

    // systemd-nspawn is a service by its template or a scope; libvirt's machines have scopes there too.
    private static (string Id, string? Runtime)? MachineOf(string name, string before)
    {
        const string template = "systemd-nspawn@", scope = "machine-", virtualMachine = "qemu-", libvirt = "lxc-";
        if (name.StartsWith(template, StringComparison.Ordinal) && name.EndsWith(".service", StringComparison.Ordinal))
            return Named(Unescape(Without(name, ".service")[template.Length..]), "nspawn");
        if (before != "machine.slice" || !name.EndsWith(".scope", StringComparison.Ordinal)
            || name.StartsWith("libpod-", StringComparison.Ordinal))
            return null;
        string machine = Unescape(Without(name, ".scope"));
        if (machine.StartsWith(scope, StringComparison.Ordinal))
            machine = machine[scope.Length..];
        if (machine.StartsWith(virtualMachine, StringComparison.Ordinal))
            return null;
        return machine.StartsWith(libvirt, StringComparison.Ordinal) ? Named(machine[libvirt.Length..], "lxc") : Named(machine, "nspawn");
    }

    private static (string Id, string? Runtime)? LxcOf(string name, string before)
    {
        const string payload = "lxc.payload.";
        return name.StartsWith(payload, StringComparison.Ordinal) ? Named(name[payload.Length..], "lxc")
            : before is "lxc" or "lxc.payload" ? Named(name, "lxc") : null;
    }

    private static (string Id, string? Runtime)? Named(string name, string runtime) => name.Length > 0 ? (name, runtime) : null;

    private static uint? UserOf(string slice)
    {
        const string prefix = "user-", ending = ".slice";
        return slice.StartsWith(prefix, StringComparison.Ordinal) && slice.EndsWith(ending, StringComparison.Ordinal)
            && uint.TryParse(slice.AsSpan()[prefix.Length..^ending.Length], NumberStyles.None, CultureInfo.InvariantCulture, out uint user)
            ? user : null;
    }

    // "podUID", and "…-podUID.slice" with "_" for "-", which in a slice's name is the way down. A static pod's UID is a bare hash.
    private static string? PodOf(string name)
    {
        const string prefix = "pod";
        string slice = Without(name.Split(':')[0], ".slice");
        string last = slice[(slice.LastIndexOf("-" + prefix, StringComparison.Ordinal) + 1)..];
        if (!last.StartsWith(prefix, StringComparison.Ordinal))
            last = slice;
        if (!last.StartsWith(prefix, StringComparison.Ordinal))
            return null;
        string uid = last[prefix.Length..].Replace('_', '-');
        return Guid.TryParseExact(uid, "D", out _) || (uid.Length == 32 && IsHex(uid)) ? uid : null;
    }

    // "libpod_parent/ID" and "…-libpod_pod_ID.slice" hold the containers of a pod.
    private static string? PodmanPodOf(string name, string before)
    {
        const string pod = "libpod_pod_";
        string slice = Without(name, ".slice");
        string id = slice[(slice.LastIndexOf('_') + 1)..];
        return IsId(id) && (before == "libpod_parent" || slice.EndsWith(pod + id, StringComparison.Ordinal)) ? id : null;
    }

    // Those of ECS on Fargate are 32 digits and a number.
    private static bool IsId(string text) => text.Length == 64 ? IsHex(text)
        : text.Length > 33 && text[32] == '-' && IsHex(text[..32]) && text.AsSpan(33).ContainsAnyExceptInRange('0', '9') is false;

    private static bool IsHex(string text) => text.All(static c => char.IsAsciiHexDigitLower(c) || char.IsAsciiDigit(c));

    private static string Without(string text, string ending) =>
        text.EndsWith(ending, StringComparison.Ordinal) ? text[..^ending.Length] : text;

    // systemd.unit(5), "String Escaping for Inclusion in Unit Names": \xHH is a byte.
    private static string Unescape(string name)
    {
        const int digits = 2;
        string[] parts = name.Split("\\x");
        byte[] bytes = new byte[Encoding.UTF8.GetMaxByteCount(name.Length)];
        int length = Encoding.UTF8.GetBytes(parts[0], bytes);
        foreach (string part in parts.AsSpan(1))
        {
            bool isByte = part.Length >= digits
                && byte.TryParse(part.AsSpan(0, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bytes[length]);
            length += isByte ? 1 : Encoding.UTF8.GetBytes("\\x", bytes.AsSpan(length));
            length += Encoding.UTF8.GetBytes(part.AsSpan(isByte ? digits : 0), bytes.AsSpan(length));
        }

        return Encoding.UTF8.GetString(bytes.AsSpan(0, length));
    }
}
