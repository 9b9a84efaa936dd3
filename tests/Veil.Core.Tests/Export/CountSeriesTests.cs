// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using System.Text;
using Veil.Core.Counting;
using Veil.Core.Export;
using Veil.Core.Tests.Events;

namespace Veil.Core.Tests.Export;

/// <summary>Counts since the beginning, and how they are written.</summary>
public sealed class CountSeriesTests
{
    private const int Returns = 1;

    [Fact]
    public void Rows_OverIntervals_OnlyGrow()
    {
        var series = Series(new CountOptions(["comm"], null, null, TimeSpan.FromSeconds(1), 2), out var plan);
        series.Take(plan, Counted(Key("nginx", 5), Key("cron", 1)));
        series.BeginLook();
        series.Look(plan, Counted(Key("nginx", 2)));
        Counts(series).ShouldBe(["nginx 7", "cron 1"]);

        // What was looked at is taken then, and is not there twice.
        series.Take(plan, Counted(Key("nginx", 3)));
        series.BeginLook();
        Counts(series).ShouldBe(["nginx 8", "cron 1"]);
    }

    [Fact]
    public void Rows_MoreKeysThanRoom_StayWithTheOthers()
    {
        var series = Series(new CountOptions(["comm"], null, null, TimeSpan.FromSeconds(1), 2), out var plan);
        series.Take(plan, Counted(Key("a", 1), Key("b", 1), Key("c", 4)));
        series.Take(plan, Counted(Key("c", 100), Key("a", 1)));
        series.BeginLook();

        Counts(series).ShouldBe(["other 104", "a 2", "b 1"]);
        series.Total.ShouldBe(107ul);
    }

    [Fact]
    public void Rows_KeyNamedOther_IsOneWithTheOthers()
    {
        var series = Series(new CountOptions(["comm"], null, null, null, 1), out var plan);
        series.Take(plan, Counted(Key("other", 3), Key("a", 1), Key("b", 2)));
        series.BeginLook();

        Counts(series).ShouldBe(["other 5", "a 1"]);
    }

    [Fact]
    public void Write_Counts_AreTextOfPrometheus()
    {
        var series = Series(new CountOptions(["comm", "uid"], null, null, null, 10), out var plan);
        series.Take(plan, Counted(Key("a\"\\\n", 3, uid: 33)));
        series.BeginLook();
        var text = new PrometheusText(isOpenMetrics: false);
        CountMetrics.Write(text, series);

        Encoding.UTF8.GetString(text.End().Span).ShouldBe("""
            # TYPE veil_syscall_events_total counter
            # HELP veil_syscall_events_total Events of module syscall.
            veil_syscall_events_total{comm="a\"\\\\\\n",uid="33"} 3
            # TYPE veil_syscall_events_without_key_total counter
            # HELP veil_syscall_events_without_key_total Events that lack a field that is counted by.
            veil_syscall_events_without_key_total 0

            """);
    }

    /// <summary>A slot's last number is its bucket's bound: 4,095 ns belong to the bucket of 4,095 ns, and 4,096 to the next.</summary>
    [Fact]
    public void Write_Histogram_HasTheSameBucketsForAll()
    {
        ulong[] slots = new ulong[CountPlan.HistogramSlots];
        (slots[3], slots[9], slots[62], slots[Histogram.Unknown]) = (1, 2, 1, 5);
        var series = Series(new CountOptions([], "duration_ns", null, null, 10) { IsExported = true }, out var plan);
        var totals = CountTotals.Of([.. slots, 1 << 20, 2_000_000_000, 0, 0, 0], slots.Length);
        series.Take(plan, new CountedEvents([([], totals)], new CountTotals(new ulong[slots.Length]), 0, 0));
        series.BeginLook();
        var text = new PrometheusText(isOpenMetrics: true);
        CountMetrics.Write(text, series);
        string[] lines = Encoding.UTF8.GetString(text.End().Span).Split('\n');

        int at = Array.IndexOf(lines, "# TYPE veil_syscall_duration_seconds histogram");
        lines[(at + 1)..(at + 6)].ShouldBe(
        [
            "# UNIT veil_syscall_duration_seconds seconds",
            "# HELP veil_syscall_duration_seconds duration_ns of events of module syscall.",
            "veil_syscall_duration_seconds_bucket{le=\"2.55E-07\"} 1",
            "veil_syscall_duration_seconds_bucket{le=\"5.11E-07\"} 3",
            "veil_syscall_duration_seconds_bucket{le=\"1.023E-06\"} 3",
        ]);
        lines[(at + 31)..(at + 36)].ShouldBe(
        [
            "veil_syscall_duration_seconds_bucket{le=\"68.719476735\"} 3",
            "veil_syscall_duration_seconds_bucket{le=\"+Inf\"} 4",
            "veil_syscall_duration_seconds_sum 2",
            "veil_syscall_duration_seconds_count 4",
            "# TYPE veil_syscall_duration_max_seconds gauge",
        ]);
        lines[^2].ShouldBe("# EOF");
    }

    /// <summary>Scrapes of many series come again and again: what is known is added in place, and written into the room of the last
    /// one.</summary>
    [Fact]
    public void Look_AtKnownKeys_LeavesNoGarbage()
    {
        const int keys = 5_000;
        ulong[] words = [2];
        var series = Series(new CountOptions(["comm"], null, null, null, keys), out var plan);
        var room = new ArrayBufferWriter<byte>();
        Scrape();
        Scrape();
        ulong total = series.Total;
        long before = GC.GetAllocatedBytesForCurrentThread();
        Scrape();

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(100_000);
        (series.Total, total).ShouldBe((keys * 2UL, keys * 2UL));

        void Scrape()
        {
            series.BeginLook();
            Span<byte> key = stackalloc byte[32];
            var seen = new List<(byte[], CountTotals)>();
            for (int number = 0; number < keys; number++)
            {
                key.Clear();
                _ = number.TryFormat(key, out _);
                if (!series.TryLook(plan, key, words))
                    seen.Add((key.ToArray(), new CountTotals([2])));
            }

            series.Look(plan, new CountedEvents(seen, new CountTotals([0]), 0, 0));
            var text = new PrometheusText(isOpenMetrics: false, room);
            CountMetrics.Write(text, series);
            text.End().Span.IndexOf("{comm=\"4999\"} 2\n"u8).ShouldBePositive();
        }
    }

    private static CountSeries Series(CountOptions options, out CountPlan plan)
    {
        plan = CountPlan.Of(new SyscallObject.Module(), SyscallObject.Events(Returns).Schemas, options);
        return new CountSeries(plan, options.Keys);
    }

    private static CountedEvents Counted(params (byte[] Key, CountTotals Totals)[] keys) => new([.. keys], new CountTotals([0]), 0, 0);

    private static (byte[] Key, CountTotals Totals) Key(string comm, ulong count, byte uid = 0)
    {
        byte[] key = new byte[32];
        Encoding.UTF8.GetBytes(comm).CopyTo(key, 0);
        key[24] = uid;
        return (key, new CountTotals([count]));
    }

    private static string[] Counts(CountSeries series) =>
        [.. series.Rows.ToArray().Select(static row => $"{Encoding.UTF8.GetString(row.Values[0])} {row.Totals.Count}")];
}
