// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Export;

/// <summary>The names of fields as attributes: those of OpenTelemetry's semantic conventions where there is one, else
/// <c>veil.*</c>.</summary>
internal static class OtlpNames
{
    /// <summary>The attribute of a field.</summary>
    /// <param name="module">The module, where a name of the same field differs between them.</param>
    /// <param name="field">The field.</param>
    public static string Of(string module, string field) => field switch
    {
        "comm" => "process.executable.name",
        "pid" => "process.pid",
        "ppid" => "process.parent_pid",
        "tid" => "thread.id",
        "uid" => "process.real_user.id",
        "username" => "process.real_user.name",
        "argv" => "process.command_args",
        "exe" => "process.executable.path",
        "cwd" => "process.working_directory",
        "exit_code" => "process.exit.code",
        "cgroup" => "process.cgroup",
        "container" => "container.name",
        "image" => "container.image.name",
        "pod" => "k8s.pod.name",
        "pod_namespace" => "k8s.namespace.name",
        "errno" => "error.type",
        "cpu" => "cpu.logical_number",
        "query" => "dns.question.name",
        "saddr" when module == "network" => "network.local.address",
        "sport" when module == "network" => "network.local.port",
        "daddr" when module == "network" => "network.peer.address",
        "dport" when module == "network" => "network.peer.port",
        "filename" when module == "files" => "file.path",
        "filename" when module == "process" => "veil.filename",
        _ => "veil." + field,
    };
}
