// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Counting;

/// <summary>What is known of the events of a key.</summary>
/// <param name="slots">Their count, or the counts of a histogram.</param>
internal sealed class CountTotals(ulong[] slots)
{
    /// <summary>Words that follow the slots (<c>VEIL_COUNT_SUMS</c>): the largest number, the sum's halves, errors, events without a
    /// number.</summary>
    public const int SumWords = 5;

    private const int MostAt = 0;
    private const int LowAt = 1;
    private const int HighAt = 2;
    private const int ErrorsAt = 3;
    private const int UnknownAt = 4;

    /// <summary>The count, or the slots of a histogram.</summary>
    public ulong[] Slots { get; } = slots;

    /// <summary>All events.</summary>
    public ulong Count
    {
        get
        {
            ulong count = 0;
            foreach (ulong slot in Slots)
                count += slot;
            return count;
        }
    }

    /// <summary>The largest number; 0 where there is none.</summary>
    public ulong Max { get; private set; }

    /// <summary>All numbers added up.</summary>
    public UInt128 Sum { get; private set; }

    /// <summary>Events that have failed.</summary>
    public ulong Errors { get; private set; }

    /// <summary>Events whose number is not known, or negative.</summary>
    public ulong Unknown { get; private set; }

    /// <summary>Events that have a number.</summary>
    public ulong Known => Count - Unknown;

    /// <summary>The average of the numbers; nothing where there is none.</summary>
    public double? Average => Known == 0 ? null : (double)Sum / Known;

    /// <summary>Reads the words that the kernel has of a key.</summary>
    /// <param name="words">All of them.</param>
    /// <param name="slots">How many are slots.</param>
    public static CountTotals Of(ReadOnlySpan<ulong> words, int slots)
    {
        var totals = new CountTotals(new ulong[slots]);
        totals.Add(words);
        return totals;
    }

    /// <summary>Where the largest number stands among the words, which CPUs have each its own of.</summary>
    /// <param name="slots">How many are slots.</param>
    public static int MostPlace(int slots) => slots + MostAt;

    /// <summary>Counts an event, as the kernel does.</summary>
    /// <param name="number">Its number; nothing where it is not known, or negative.</param>
    /// <param name="hasFailed">Has it failed?</param>
    public void Add(ulong? number, bool hasFailed)
    {
        Slots[Slots.Length == 1 ? 0 : number is { } known ? Histogram.SlotOf(known) : Histogram.Unknown]++;
        Sum += number ?? 0;
        Max = Math.Max(Max, number ?? 0);
        Unknown += number is null ? 1ul : 0;
        Errors += hasFailed ? 1ul : 0;
    }

    /// <summary>Adds what is known of other events.</summary>
    public void Add(CountTotals other)
    {
        for (int slot = 0; slot < Slots.Length; slot++)
            Slots[slot] += other.Slots[slot];
        Max = Math.Max(Max, other.Max);
        Sum += other.Sum;
        Errors += other.Errors;
        Unknown += other.Unknown;
    }

    /// <summary>Adds the words that the kernel has of a key.</summary>
    public void Add(ReadOnlySpan<ulong> words)
    {
        for (int slot = 0; slot < Slots.Length; slot++)
            Slots[slot] += words[slot];
        if (words.Length < Slots.Length + SumWords)
            return;
        var sums = words[Slots.Length..];
        Max = Math.Max(Max, sums[MostAt]);
        Sum += ((UInt128)sums[HighAt] << 32) + sums[LowAt];
        Errors += sums[ErrorsAt];
        Unknown += Slots.Length > 1 ? words[Histogram.Unknown] : sums[UnknownAt];
    }

    /// <summary>Forgets all events.</summary>
    public void Clear()
    {
        Slots.AsSpan().Clear();
        Max = Errors = Unknown = 0;
        Sum = 0;
    }

    /// <summary>What keys are ranked by.</summary>
    public UInt128 By(CountSort sort) => sort switch
    {
        CountSort.Sum => Sum,
        CountSort.Max => Max,
        CountSort.Errors => Errors,
        _ => Count,
    };

    /// <summary>
    /// The number that so many of a hundred are not more than, of a histogram: in the same power of two as the true one, and never more
    /// than the largest. Nothing where there is no number.
    /// </summary>
    public ulong? Percentile(int percent)
    {
        ulong known = Count - Slots[Histogram.Unknown];
        if (known == 0)
            return null;
        ulong rank = (ulong)(((UInt128)known * (ulong)percent + 99) / 100), before = 0;
        int slot = 0;
        while (before + Slots[slot] < rank)
            before += Slots[slot++];
        var from = Histogram.From(slot);
        var within = from + ((Histogram.To(slot) - from - 1) * (rank - before) / Slots[slot]);
        return (ulong)UInt128.Min(within, Max);
    }
}
