// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Containers;

/// <summary>A container as its runtime knows it. What the runtime's files do not tell is null.</summary>
/// <param name="Id">The runtime's id; of a machine or an LXC container its name.</param>
/// <param name="Runtime"><c>docker</c>, <c>podman</c>, <c>containerd</c>, <c>crio</c>, <c>runc</c>, <c>crun</c>, <c>nspawn</c>, <c>lxc</c>;
/// <c>unknown</c> where the cgroup tells the id alone.</param>
/// <param name="Name">Its name; <c>POD</c> for the sandbox of a pod.</param>
/// <param name="Image">The image, as it was asked for.</param>
/// <param name="Pod">The pod's name.</param>
/// <param name="PodNamespace">The pod's namespace.</param>
/// <param name="PodUid">The pod's UID.</param>
/// <param name="CgroupPath">Its cgroup, from the root of the hierarchy.</param>
public sealed record Container(
    string Id, string Runtime, string? Name, string? Image, string? Pod, string? PodNamespace, string? PodUid, string CgroupPath);
