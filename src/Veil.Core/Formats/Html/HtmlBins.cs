// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Formats.Html;

/// <summary>Counts over time, of as many rows as there are. Nobody knows yet when the recording ends: where it is longer than the bins,
/// each becomes twice as wide.</summary>
internal sealed class HtmlBins
{
    /// <summary>How many bins there are.</summary>
    public const int Count = 512;

    private const int FirstShift = 10;
    private readonly Dictionary<int, long[]> _rows = [];
    private int _shift = FirstShift;

    /// <summary>Nanoseconds of a bin.</summary>
    public long WidthNs => 1L << _shift;

    /// <summary>The counts, by row.</summary>
    public IReadOnlyDictionary<int, long[]> Rows => _rows;

    /// <summary>Counts one.</summary>
    public void Add(int row, long timeNs)
    {
        while (timeNs >> _shift >= Count)
            Widen();
        if (!_rows.TryGetValue(row, out long[]? counts))
            _rows.Add(row, counts = new long[Count]);
        counts[timeNs >> _shift]++;
    }

    private void Widen()
    {
        foreach (long[] counts in _rows.Values)
        {
            for (int bin = 0; bin < Count; bin++)
                counts[bin] = bin < Count / 2 ? counts[2 * bin] + counts[(2 * bin) + 1] : 0;
        }

        _shift++;
    }
}
