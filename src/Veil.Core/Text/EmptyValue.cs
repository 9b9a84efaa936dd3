// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Text;

/// <summary>How the same mistake is said everywhere.</summary>
public static class EmptyValue
{
    /// <summary>Says what is empty: the whole value, or one of those between its commas.</summary>
    public static string Explain(string value) =>
        value.Contains(',', StringComparison.Ordinal) ? $"an entry of '{Escaping.ForMessage(value)}' is empty"
            : $"the value '{Escaping.ForMessage(value)}' is empty";
}
