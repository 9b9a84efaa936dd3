using Veil.Core.Filters;

namespace Veil.Modules.Memory;

/// <summary>How a page fault was served.</summary>
public sealed class FaultDimension : FilterDimension
{
    // The order is that of enum memory_fault.
    private static readonly string[] s_names = ["minor", "major"];

    /// <inheritdoc/>
    public override string Name => "fault";

    /// <inheritdoc/>
    public override string ValueName => "FAULT";

    /// <inheritdoc/>
    public override string Description => "these page faults: minor, major";

    /// <inheritdoc/>
    public override string AcceptedForm => "minor or major";

    /// <inheritdoc/>
    public override string? ParseKeys(string text, List<FilterKey> keys)
    {
        int index = Array.IndexOf(s_names, text);
        if (index < 0)
            return $"{Unknown("kind of page fault", text, s_names)} (available: {string.Join(", ", s_names)})";
        keys.Add(new((UInt128)index, text));
        return null;
    }

    /// <inheritdoc/>
    public override IEnumerable<string> KeyNames() => s_names;
}
