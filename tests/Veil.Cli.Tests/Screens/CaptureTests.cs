// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Cli.Prompt;
using Veil.Core.Counting;
using Veil.Core.Sinks;
using Veil.Modules;

namespace Veil.Cli.Tests.Screens;

/// <summary>Screens of the usual sizes with what is not an event: counts, histograms, the prompt, messages.</summary>
public sealed class CaptureTests
{
    private const string LongCommand =
        "add syscall syscall openat,openat2,read,write,close,mmap,munmap,futex,epoll_wait,epoll_pwait2,clock_nanosleep,rt_sigtimedwait,process_vm_readv,io_uring_enter";

    [Theory]
    [InlineData(80, 24)]
    [InlineData(120, 40)]
    [InlineData(160, 50)]
    public void Screens_OfCountsPromptAndMessages_AreThoseThatAPersonHasRead(int columns, int rows)
    {
        var screen = new FakeScreen(columns, rows);
        var text = new StringBuilder();
        ulong[] waits = new ulong[CountPlan.HistogramSlots], few = new ulong[CountPlan.HistogramSlots];
        (waits[10], waits[11], waits[12], waits[14], waits[31], few[20]) = (5, 120, 40, 1, 2, 3);
        var (all, some) = (Totals(waits, 2_000_000_000, 2_100_172_345, 12), Totals(few, 1_000_000, 2_345_678, 0));
        var sums = new CountOptions(["comm"], null, null, null, 10) { Sum = "duration_ns" };

        Part("--count-by comm",
            Count(screen, new CountOptions(["comm"], null, null, null, 10),
            [("nginx", One(1_204_233)), ("\u001b[31m\u001b[0mred\u001b\u001b", One(20_001)), ("漢字のプロセス", One(77)), ("tmux: server", One(1))]));
        Part("--count-by comm --top 2 --keys 4",
            Count(screen, new CountOptions(["comm"], null, 2, null, 4), [("nginx", One(9)), ("postgres", One(5)), ("sshd", One(2)), ("cron", One(1))]));
        Part("--hist duration_ns", Count(screen, new CountOptions([], "duration_ns", null, null, 10), [("", all)]));
        Part("--hist duration_ns --count-by comm",
            Count(screen, new CountOptions(["comm"], "duration_ns", null, null, 10), [("nginx", all), ("漢字のプロセス", some)]));
        Part("--sum duration_ns --count-by comm",
            Count(screen, sums, [("nginx", Totals([1_204_233], 2_000_000_000, 31_700_172_345, 1_204)), ("漢字のプロセス", Totals([3], 999, 1_234, 0))]));
        Part("--sum duration_ns --count-by comm,pid,syscall",
            Count(screen, sums with { By = ["comm", "pid", "syscall"] }, [("nginx", Totals([12], 2_000, 20_000, 1))]));
        Part("a prompt", Drawn("add files op read", 17) + Drawn(LongCommand, LongCommand.Length) + Drawn(LongCommand, 40)
            + Drawn("add syscall name 漢字のプロセス漢字のプロセス漢字のプロセス漢字のプロセス", 45));
        Part("messages",
            Messages.Fit(
            "veil: --fields: unknown field 'filenam'; did you mean 'filename'? (available: module, comm, pid, tid, uid, timestamp, op, " +
            "ret, errno, errno_nr, bytes, filename, truncated, deleted)\n", columns)
            + Messages.Fit("veil: --syscall: unknown system call 'opnat'; did you mean 'openat' or 'open'?\n", columns));

        Golden.Check($"capture-{columns}x{rows}.txt", text.ToString());
        text.ToString().Split('\n').Where(line => ScreenTests.Cells(line) > columns).ShouldBeEmpty();

        void Part(string title, string shown) => text.Append($"== {title}\n{shown}");

        // The cursor is where the line is saved; the rest moves it.
        string Drawn(string line, int cursor) =>
            PromptLine.Draw(line, cursor, columns).Replace("\r\u001b[K", "", StringComparison.Ordinal)
                .Replace("\u001b7", "_", StringComparison.Ordinal).Replace("\u001b8", "\n", StringComparison.Ordinal);
    }

    private static string Count(FakeScreen screen, CountOptions options, (string Comm, CountTotals Totals)[] counts)
    {
        var output = new Collected();
        var shown = new OutputOptions(OutputFormat.Text, [], Enrichments.None, Colour: false) { Screen = screen };
        string module = options.Sum is null && options.Histogram is null ? "scheduler" : "syscall"; // of calls that end times are added up
        var plan = CountPlan.Of(ModuleCatalog.All.First(one => one.Name == module), Samples.Catalog(module).Schemas, options);
        var keys = counts.Select(count => ((byte[])[.. Key(count.Comm), .. new byte[16]], count.Totals)).ToList();
        new CountReport(options, shown, output)
            .Print([(plan, new CountedEvents(keys, One(options.Top is null ? 0u : 3, plan.Slots), 0, 0))], TimeSpan.FromSeconds(1), 0);
        return output.Text.ToString();
    }

    private static CountTotals One(ulong count, int slots = 1)
    {
        var totals = new CountTotals(new ulong[slots]);
        totals.Slots[0] = count;
        return totals;
    }

    private static CountTotals Totals(ulong[] slots, ulong most, ulong sum, ulong errors) =>
        CountTotals.Of([.. slots, most, sum & uint.MaxValue, sum >> 32, errors, 0], slots.Length);

    // A name of 16 bytes, and the place in the histogram.
    private static byte[] Key(string comm)
    {
        byte[] key = new byte[24];
        Encoding.UTF8.GetBytes(comm).AsSpan()[..Math.Min(Encoding.UTF8.GetByteCount(comm), 15)].CopyTo(key);
        return key;
    }
}
