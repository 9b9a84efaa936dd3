// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Containers;

namespace Veil.Core.Filters;

/// <summary>A pod of Kubernetes by its name, with its namespace or in any. It may come later.</summary>
/// <param name="names">The containers that there are.</param>
public sealed class PodDimension(ContainerNames names) : ScopeDimension
{
    /// <summary>The name of the flag.</summary>
    public const string FlagName = "pod";

    /// <inheritdoc/>
    public override string Name => FlagName;

    /// <inheritdoc/>
    public override bool IsByName => true;

    /// <inheritdoc/>
    public override string ValueName => "[NAMESPACE/]NAME";

    /// <inheritdoc/>
    public override string Description => "tasks in the containers of these pods";

    /// <inheritdoc/>
    public override string AcceptedForm => "a pod's name, or NAMESPACE/NAME";

    /// <inheritdoc/>
    public override bool Matches(in FilterKey key, string path)
    {
        string text = key.Text;
        return names.Around(path).Any(container => Is(container, text));
    }

    /// <inheritdoc/>
    public override string? ParseKeys(string text, List<FilterKey> keys)
    {
        if (text.Split('/') is not ([{ Length: > 0 }] or [{ Length: > 0 }, { Length: > 0 }]))
            return $"{Quoted(text)} is not {AcceptedForm}";
        keys.Add(new(ContainerDimension.KeyOf(text), text));
        return null;
    }

    /// <inheritdoc/>
    public override IEnumerable<string> KeyNames() =>
        names.Running().Where(static container => container.Pod is not null)
            .Select(static container => container.PodNamespace is null ? container.Pod! : $"{container.PodNamespace}/{container.Pod}").Distinct();

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(IEnumerable<FilterKey> keys)
    {
        var running = names.Running();
        foreach (var key in keys)
        {
            if (!running.Any(container => Is(container, key.Text)))
                yield return $"--{Name}: no pod is called {Quoted(key.Text)} now{Nearest(key.Text, KeyNames())} (veil --list-containers)";
        }
    }

    private static bool Is(Container container, string text) =>
        container.Pod is { } pod && (text == pod || text == $"{container.PodNamespace}/{pod}");
}
