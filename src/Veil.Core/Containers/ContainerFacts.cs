// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Containers;

/// <summary>What the files of a runtime tell of a container; null is unknown.</summary>
internal readonly record struct ContainerFacts(
    string? Runtime = null, string? Name = null, string? Image = null, string? Pod = null, string? PodNamespace = null,
    string? PodUid = null)
{
    /// <summary>These, and what only the others know.</summary>
    public ContainerFacts Or(in ContainerFacts other) => new(
        Runtime ?? other.Runtime, Name ?? other.Name, Image ?? other.Image, Pod ?? other.Pod, PodNamespace ?? other.PodNamespace,
        PodUid ?? other.PodUid);
}
