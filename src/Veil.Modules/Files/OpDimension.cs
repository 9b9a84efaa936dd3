using Veil.Core.Filters;

namespace Veil.Modules.Files;

/// <summary>What was done to a file.</summary>
public sealed class OpDimension : FilterDimension
{
    // The order is that of enum files_op.
    private static readonly string[] s_names = ["open", "read", "write", "copy"];

    /// <inheritdoc/>
    public override string Name => "op";

    /// <inheritdoc/>
    public override string ValueName => "OP";

    /// <inheritdoc/>
    public override string Description => "these file operations: open, read, write, copy";

    /// <inheritdoc/>
    public override string AcceptedForm => "open, read, write or copy";

    /// <inheritdoc/>
    public override string? ParseKeys(string text, List<FilterKey> keys)
    {
        int index = Array.IndexOf(s_names, text);
        if (index < 0)
            return $"{Unknown("file operation", text, s_names)} (available: {string.Join(", ", s_names)})";
        keys.Add(new((UInt128)index, text));
        return null;
    }

    /// <inheritdoc/>
    public override IEnumerable<string> KeyNames() => s_names;
}
