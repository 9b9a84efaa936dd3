// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using Veil.Cli.Tests.Screens;
using Veil.Cli.Top;
using Veil.Core.Counting;
using Veil.Core.Kernel;
using Veil.Modules;

namespace Veil.Cli.Tests.Top;

public sealed class TopFrameTests
{
    private static readonly TopView s_view = TopView.All[0];

    /// <summary>The usual sizes, with names that are hostile, wide and long.</summary>
    [Theory]
    [InlineData(80, 24)]
    [InlineData(120, 40)]
    [InlineData(200, 60)]
    public void Frame_OfEachGroup_IsTheOneThatAPersonHasRead(int columns, int height)
    {
        var table = Table();
        var text = new StringBuilder();
        for (int group = 0; group < s_view.Groups.Length; group++)
        {
            var state = new TopState { Group = group, Sort = CountSort.Sum, Selected = 1 };
            var frame = TopFrame.Draw(s_view, table, table.Rows(s_view, group, state.Sort, ""), state, columns, height, colour: false);
            frame.Count.ShouldBe(height);
            frame.ShouldAllBe(line => ScreenTests.Cells(line) <= columns);
            text.AppendJoin('\n', frame.Where(static line => line.Length > 0).Select(static line => line.TrimEnd())).Append("\n\n");
        }

        Golden.Check($"top-{columns}x{height}.txt", text.ToString());
    }

    [Fact]
    public void Rows_OfAProcess_AreOneWithTheNameOfMostEvents()
    {
        var rows = Table().Rows(s_view, 0, CountSort.Count, "");

        rows.Select(static row => string.Join(' ', row.Cells)).ShouldBe(["812 nginx", "77 漢字のプロ", @"6 \x1b[31m\x1b[0m"]);
        (rows[0].Totals.Count, rows[0].Totals.Errors, rows[0].Totals.Max).ShouldBe((1_101ul, 13ul, 900_000_000ul));
    }

    [Fact]
    public void Rows_WithAFilter_AreThoseWithTheText() =>
        Table().Rows(s_view, 3, CountSort.Errors, "NGI").Select(static row => row.Cells[2]).ShouldBe(["openat", "read"]);

    [Fact]
    public void Frame_WithColour_ColoursNothingButWholeLines() =>
        TopFrame.Draw(s_view, Table(), Table().Rows(s_view, 0, CountSort.Count, ""), new TopState(), 80, 24, colour: true)
            .ShouldAllBe(static line => !line.Contains('\u001b') || (line.StartsWith('\u001b') && line.EndsWith("\u001b[0m")));

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 3)]
    [InlineData(20, 2)]
    public void Frame_OfATinyTerminal_FitsIt(int columns, int height)
    {
        var frame =
            TopFrame.Draw(s_view, Table(), Table().Rows(s_view, 3, CountSort.Count, ""), new TopState { Group = 3 }, columns, height, colour: false);

        frame.ShouldAllBe(line => ScreenTests.Cells(line) <= columns);
    }

    private static TopTable Table()
    {
        var module = ModuleCatalog.All.First(static module => module.Name == "syscall");
        var plan = CountPlan.Of(
            module, Samples.Catalog("syscall").Schemas, new CountOptions(s_view.Fields, null, null, null, 100) { Sum = "duration_ns" });
        List<(byte[], CountTotals)> keys =
        [
            Key(812, "nginx", "openat", 100, 3_000_000, 900_000_000, 13), Key(812, "nginx", "read", 1_000, 1_000_000_000, 900_000, 0),
            Key(812, "nginx: worker", "read", 1, 1_000, 1_000, 0), Key(77, "漢字のプロセス", "clock_nanosleep", 2, 1_900_000_000, 1_000_000_000, 0),
            Key(6, "\u001b[31m\u001b[0m", "futex", 1, 5_000, 5_000, 1),
        ];
        return TopTable.Of([(plan, new CountedEvents(keys, new CountTotals([3]), 0, 0))], TimeSpan.FromSeconds(1));
    }

    private static (byte[], CountTotals) Key(int pid, string comm, string call, ulong count, ulong sum, ulong most, ulong errors)
    {
        byte[] key = new byte[8 + 24 + 8];
        BinaryPrimitives.WriteInt32LittleEndian(key, pid);
        byte[] name = Encoding.UTF8.GetBytes(comm);
        name.AsSpan()[..Math.Min(name.Length, 15)].CopyTo(key.AsSpan(8));
        SyscallTable.For(SyscallTable.Native).TryGetNumber(call, out int number);
        BinaryPrimitives.WriteInt32LittleEndian(key.AsSpan(32), number);
        BinaryPrimitives.WriteInt32LittleEndian(key.AsSpan(36), (int)SyscallTable.Native);
        return (key, CountTotals.Of([count, most, sum & uint.MaxValue, sum >> 32, errors, 0], 1));
    }
}
