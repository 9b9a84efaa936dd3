// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Sinks;

/// <summary>A field that the kernel reads of a task's parent or cgroup: <c>struct veil_origin</c> of <c>bpf/veil/origin.bpf.h</c>.</summary>
/// <param name="By">The enrichment that adds it.</param>
/// <param name="Name">Its name.</param>
/// <param name="JsonType">Its type in JSON.</param>
public readonly record struct OriginField(Enrichments By, string Name, string JsonType)
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<OriginField> All { get; } =
    [
        new(Enrichments.Parent, "ppid", "number or null"), new(Enrichments.Parent, "parent_comm", "string or null"),
        new(Enrichments.Cgroup, "cgroup", "string or null"),
    ];
}
