// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Counting;
using Veil.Core.Output;
using Veil.Core.Sinks;
using Veil.Core.Tests.Events;

namespace Veil.Core.Tests.Counting;

/// <summary>Tables and histograms, as people see them.</summary>
public sealed class CountReportTests
{
    private const int Returns = 1;

    /// <summary>Rows without an event say nothing: a run of them is one mark, a row that is alone is itself.</summary>
    [Fact]
    public void Histogram_WithRunsOfEmptyRows_FoldsEachIntoOne()
    {
        ulong[] slots = new ulong[CountPlan.HistogramSlots];
        (slots[1], slots[3], slots[7], slots[8], slots[20]) = (4, 1, 2, 1, 1);

        Print(new CountOptions([], "duration_ns", null, null, 10), null, ([], Totals(slots, 600_000))).Split('\n').ShouldBe(
        [
            "syscall, duration_ns: 9 events",
            "    p50 7ns  p90 600.0us  p99 600.0us  max 600.0us",
            "          [1ns, 2ns)              4 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|",
            "          [2ns, 4ns)              0 |                                        |",
            "          [4ns, 8ns)              1 |@@@@@@@@@@                              |",
            "                 ...",
            "       [64ns, 128ns)              2 |@@@@@@@@@@@@@@@@@@@@                    |",
            "      [128ns, 256ns)              1 |@@@@@@@@@@                              |",
            "                 ...",
            "      [524us, 1.0ms)              1 |@@@@@@@@@@                              |",
            "",
            "",
        ]);
    }

    [Fact]
    public void Histogram_OnANarrowScreen_HasShorterBars()
    {
        ulong[] slots = new ulong[CountPlan.HistogramSlots];
        (slots[1], slots[2]) = (4, 1);

        Print(new CountOptions([], "duration_ns", null, null, 10), 60, ([], Totals(slots, 3))).Split('\n')[2..4].ShouldBe(
        [
            "          [1ns, 2ns)              4 |@@@@@@@@@@@@@@@@@@@@@@|",
            "          [2ns, 4ns)              1 |@@@@@@                |",
        ]);
    }

    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    public void Table_OnAScreen_FitsIt(int columns)
    {
        var options = new CountOptions(["comm"], null, 3, null, 4);
        string table =
            Print(options, columns, Row("nginx", 5),
            Row("\u001b\u001b\u001b\u001b\u001b\u001b\u001b\u001b\u001b\u001b\u001b\u001b\u001b\u001b\u001b", 4), Row("漢字", 3),
            Row("d", 2), Row("e", 1));

        table.Split('\n').ShouldAllBe(line => CellWidth.Of(Encoding.UTF8.GetBytes(line)) <= columns);
        if (columns == 60)
        {
            table.ShouldContain(@"  \x1b\x1b…\x1b\x1b\x1b\x1b\x1b" + "\n");
            table.ShouldContain("  (other: 4 keys are all that there\n                          is room for; --keys makes more)\n");
        }
    }

    [Fact]
    public void Table_Elsewhere_HasItsKeysWhole() =>
        Print(new CountOptions(["comm"], null, null, null, 1), null, Row("nginx", 5), Row("d", 2))
            .ShouldContain("(other: 1 keys are all that there is room for; --keys makes more)\n");

    private static (byte[] Key, CountTotals Totals) Row(string name, ulong count)
    {
        byte[] key = new byte[24];
        Encoding.UTF8.GetBytes(name).CopyTo(key, 0);
        return (key, new CountTotals([count]));
    }

    private static CountTotals Totals(ulong[] slots, ulong most) => CountTotals.Of([.. slots, most, 0, 0, 0, 0], slots.Length);

    private static string Print(CountOptions options, int? columns, params (byte[] Key, CountTotals Totals)[] rows)
    {
        var output = new MemoryOutput();
        var shown =
            new OutputOptions(
            OutputFormat.Text, [], Enrichments.None, Colour: false)
            { Screen = columns is { } width ? new Screen(width) : null };
        var plan = CountPlan.Of(new SyscallObject.Module(), SyscallObject.Events(Returns).Schemas, options);
        new CountReport(options, shown, output).Print([(plan, new CountedEvents([.. rows], new CountTotals(new ulong[plan.Slots]), 0, 0))], TimeSpan.FromSeconds(1), 0);
        return output.Text;
    }

    private sealed class Screen(int columns) : IScreen
    {
        public (int Columns, int Rows) Size => (columns, 24);
    }
}
