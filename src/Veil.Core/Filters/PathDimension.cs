// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Veil.Core.Text;

namespace Veil.Core.Filters;

/// <summary>A path: a file, a folder with what is below, the end or a part of a path, or a pattern. In the kernel it is
/// <c>bpf/veil/filter_path.bpf.h</c>.</summary>
/// <param name="name">The name of the flag.</param>
/// <param name="description">What it compares, for the help.</param>
public sealed class PathDimension(string name, string description) : FilterDimension
{
    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override string ValueName => "PATH";

    /// <inheritdoc/>
    public override string Description => description;

    /// <inheritdoc/>
    public override string AcceptedForm =>
        "a path (/etc/hosts), a folder (/etc), the end of a path (etc/hosts), a part of one (hosts) or a pattern (*.log)";

    /// <inheritdoc/>
    public override string? ParseKeys(string text, List<FilterKey> keys)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
            return $"{Quoted(text)} holds a NUL, which no path has";
        // Files are named without links, what failed as it was asked for.
        keys.Add(KeyOf(text));
        if (PathPattern.RealOf(text) is { } real)
            keys.Add(KeyOf(real));
        return null;
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(IEnumerable<FilterKey> keys)
    {
        var texts = keys.Select(static key => key.Text).ToList();
        // Cleaning it of ".." alone is no link.
        foreach (string text in texts)
        {
            if (PathPattern.RealOf(text) is { } real && real != Path.GetFullPath(text))
                yield return $"--{name}: '{Escaping.ForMessage(text)}' goes through a symbolic link; " +
                    $"'{Escaping.ForMessage(real)}' is matched too";
        }

        if (PathAutomaton.StatesOf(texts) is var states && states > PathAutomaton.KernelStatesMax)
            yield return $"--{name}: the values have {states} bytes together, of which the kernel takes {PathAutomaton.KernelStatesMax}: " +
                $"it is decided in userspace, after each event";
    }

    // The same path has the same key, however it was written.
    private static FilterKey KeyOf(string text) =>
        new(BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(PathPattern.Of(text).Text))), text);
}
