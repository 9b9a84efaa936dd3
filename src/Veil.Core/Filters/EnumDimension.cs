// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Filters;

/// <summary>One of a few words that an <c>enum</c> of the module's object has.</summary>
/// <param name="name">The name of the flag.</param>
/// <param name="what">What a word is, for messages: "file operation".</param>
/// <param name="names">The words, in the order of the enum; a test compares the two.</param>
public sealed class EnumDimension(string name, string what, params IReadOnlyList<string> names) : FilterDimension
{
    /// <summary>The words that this trace can have, where others need a hook that is attached as it starts; nothing: all.</summary>
    public IReadOnlySet<string>? Attached { get; init; }

    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override string ValueName => name.ToUpperInvariant();

    /// <inheritdoc/>
    public override string Description => $"these {what}s: {string.Join(", ", names)}";

    /// <inheritdoc/>
    public override string AcceptedForm => $"{string.Join(", ", names.Take(names.Count - 1))} or {names[^1]}";

    /// <inheritdoc/>
    public override string? ParseKeys(string text, List<FilterKey> keys)
    {
        for (int index = 0; index < names.Count; index++)
        {
            if (names[index] == text)
            {
                if (Attached?.Contains(text) == false)
                    return $"{Quoted(text)} was not attached: say --{name} {text} as the trace starts";
                keys.Add(new((UInt128)index, text));
                return null;
            }
        }

        return $"{Unknown(what, text, names)} (available: {string.Join(", ", names)})";
    }

    /// <inheritdoc/>
    public override IEnumerable<string> KeyNames() => names;
}
