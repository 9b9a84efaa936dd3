// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Veil.Core.Containers;
using Veil.Core.Text;

namespace Veil.Core.Filters;

/// <summary>A container by its name or the beginning of its id. It may come later.</summary>
/// <param name="names">The containers that there are.</param>
public sealed class ContainerDimension(ContainerNames names) : ScopeDimension
{
    /// <summary>The name of the flag.</summary>
    public const string FlagName = "container";

    /// <inheritdoc/>
    public override string Name => FlagName;

    /// <inheritdoc/>
    public override bool IsByName => true;

    /// <inheritdoc/>
    public override string ValueName => "NAME|ID";

    /// <inheritdoc/>
    public override string Description => "tasks in these containers, by name or the beginning of the id";

    /// <inheritdoc/>
    public override string AcceptedForm => "a container's name, or the beginning of its id";

    /// <inheritdoc/>
    public override bool Matches(in FilterKey key, string path)
    {
        string text = key.Text;
        return names.Around(path).Any(container => Is(container, text));
    }

    /// <inheritdoc/>
    public override string? ParseKeys(string text, List<FilterKey> keys)
    {
        var running = names.Running();
        if (!running.Any(container => container.Name == text)
            && running.Where(container => container.Id.StartsWith(text, StringComparison.Ordinal)).ToList() is { Count: > 1 } several)
            return $"{Quoted(text)} is the beginning of {several.Count} ids: {FewOf([.. several.Select(Described)])}";
        keys.Add(new(KeyOf(text), text));
        return null;
    }

    /// <inheritdoc/>
    public override IEnumerable<string> KeyNames() => names.Running().Select(static container => container.Name ?? container.Id);

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(IEnumerable<FilterKey> keys)
    {
        var running = names.Running();
        foreach (var key in keys)
        {
            if (!running.Any(container => Is(container, key.Text)))
                yield return
                    $"--{Name}: no container is called {Quoted(key.Text)} now{Nearest(key.Text, KeyNames())} (veil --list-containers)";
        }
    }

    /// <summary>The same text has the same key.</summary>
    internal static UInt128 KeyOf(string text) => BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static bool Is(Container container, string text) =>
        container.Name == text || container.Id.StartsWith(text, StringComparison.Ordinal);

    private static string Described(Container container) =>
        $"{container.Id[..Math.Min(16, container.Id.Length)]}{(container.Name is { } name ? $" ({Escaping.ForMessage(name)})" : "")}";
}
