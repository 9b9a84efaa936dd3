// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Core.Export;

/// <summary>The values of a family's labels. A form keeps here how it writes them: most stay the same from scrape to scrape.</summary>
/// <param name="values">UTF-8.</param>
internal sealed class MetricLabels(params byte[][] values)
{
    /// <summary>No labels.</summary>
    public static MetricLabels None { get; } = new();

    /// <summary>The values.</summary>
    public byte[][] Values => values;

    /// <summary>As text has them.</summary>
    public byte[]? Text { get; set; }

    /// <summary>Labels of these words.</summary>
    public static MetricLabels Of(params ReadOnlySpan<string> words)
    {
        byte[][] values = new byte[words.Length][];
        for (int i = 0; i < words.Length; i++)
            values[i] = Encoding.UTF8.GetBytes(words[i]);
        return new MetricLabels(values);
    }
}
