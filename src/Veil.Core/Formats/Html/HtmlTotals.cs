// SPDX-License-Identifier: GPL-3.0-only
using System.Numerics;
using System.Runtime.InteropServices;

namespace Veil.Core.Formats.Html;

/// <summary>Tables of all events, for a page that does not hold them all. Where one would grow too long, what is new is one row.</summary>
internal sealed class HtmlTotals
{
    private const int RowsMax = 20_000;

    /// <summary>Events by module and time.</summary>
    public HtmlBins Density { get; } = new();

    /// <summary>Durations by their power of two and time.</summary>
    public HtmlBins Heat { get; } = new();

    /// <summary>By process and call.</summary>
    public Dictionary<(int Process, int Name, int Unused), Row> Calls { get; } = [];

    /// <summary>By process, call and error.</summary>
    public Dictionary<(int Process, int Name, int Error), Row> Errors { get; } = [];

    /// <summary>By file.</summary>
    public Dictionary<(int Path, int Unused, int Unused2), Row> Files { get; } = [];

    /// <summary>By the other end.</summary>
    public Dictionary<(int Peer, int Unused, int Unused2), Row> Peers { get; } = [];

    /// <summary>Adds an event.</summary>
    public void Add(in HtmlRow row)
    {
        Density.Add(row.Module, row.TimeNs);
        if (row.DurationNs >= 0)
            Heat.Add(BitOperations.Log2((ulong)row.DurationNs | 1), row.TimeNs);
        Add(Calls, (row.Process, row.Name, 0), row);
        if (row.Error != 0)
            Add(Errors, (row.Process, row.Name, row.Error), row);
        if (row.Path != 0)
            Add(Files, (row.Path, 0, 0), row);
        if (row.Peer != 0)
            Add(Peers, (row.Peer, 0, 0), row);
    }

    private static void Add(Dictionary<(int, int, int), Row> table, (int, int, int) key, in HtmlRow row)
    {
        if (table.Count >= RowsMax && !table.ContainsKey(key))
            key = (-1, 0, 0);
        ref var total = ref CollectionsMarshal.GetValueRefOrAddDefault(table, key, out _);
        long duration = Math.Max(row.DurationNs, 0);
        total = new Row(
            total.Count + 1, total.Errors + (row.Error != 0 ? 1 : 0), total.TimeNs + duration, Math.Max(total.LongestNs, duration));
    }

    /// <summary>What a row comes to.</summary>
    /// <param name="Count">Events.</param>
    /// <param name="Errors">Those that failed.</param>
    /// <param name="TimeNs">What they took.</param>
    /// <param name="LongestNs">What the longest took.</param>
    internal readonly record struct Row(long Count, long Errors, long TimeNs, long LongestNs);
}
