// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Counting;

namespace Veil.Cli.Top;

/// <summary>What <c>veil top</c> shows of a module.</summary>
/// <param name="Module">The module.</param>
/// <param name="Events">What its events are called, in the title of their rate.</param>
/// <param name="Fields">What the kernel counts by, all together.</param>
/// <param name="Groups">Which of them make a row, by their places: the first at the start, the others by a key.</param>
internal sealed record TopView(string Module, string Events, string[] Fields, int[][] Groups)
{
    /// <summary>The field that is added up, with the title of its rate; none: what the module adds up by itself.</summary>
    public (string Field, string Title)? Sum { get; init; }

    /// <summary>A field that only names another, as a name does a process: of several the one with the most events is shown.</summary>
    public (int Of, int Name)? Label { get; init; }

    /// <summary>The places of the fields that tell the rows of a group apart.</summary>
    public int[] KeyOf(int group) => Label is { } label && Groups[group].Contains(label.Of)
        ? Array.FindAll(Groups[group], place => place != label.Name) : Groups[group];

    /// <summary>The kind of event that is looked at where nobody chooses; none: the usual ones.</summary>
    public string? Event { get; init; }

    /// <summary>What rows are ranked by.</summary>
    public CountSort Sort { get; init; }

    /// <summary>The same of the module's events, one by one.</summary>
    public TopView OfEvents => Event is null ? this
        : new(Module, "EVENTS", ["evt_type", "comm", "daddr", "dport"], [[0, 1, 2, 3], [0], [1], [2, 3], [3]]);

    /// <summary>The switches of the module that it needs.</summary>
    public string[] Switches { get; init; } = [];

    /// <summary>The same where the events of a row are shown.</summary>
    public string[] EventSwitches { get; init; } = [];

    /// <summary>All of them, the one without a name first.</summary>
    public static IReadOnlyList<TopView> All { get; } =
    [
        new("syscall", "CALLS", ["pid", "comm", "syscall"], [[0, 1], [2], [1, 2], [0, 1, 2]])
        {
            Sum = ("duration_ns", "TIME"), Label = (0, 1), Switches = ["returns"], EventSwitches = ["args"],
        },
        new("files", "OPS", ["filename", "op", "pid", "comm"], [[0], [2, 3], [1], [2, 3, 0], [1, 0], [2, 3, 1, 0]]) { Sum = ("bytes", "BYTES"), Label = (2, 3) },
        new("network", "LOOKS", ["comm", "sport", "daddr", "dport"], [[0, 1, 2, 3], [0], [0, 2, 3], [3], [2], [1]])
        {
            Sum = ("bytes", "BYTES"), Event = "TRAFFIC", Sort = CountSort.Sum,
        },
        new("scheduler", "SWITCHES", ["next_pid", "next_comm", "cpu"], [[0, 1], [1], [2], [2, 0, 1]]) { Sum = ("wait_ns", "WAIT"), Label = (0, 1) },
        new("memory", "FAULTS", ["pid", "comm", "evt_type"], [[0, 1], [2], [0, 1, 2]]) { Sum = ("duration_ns", "TIME"), Label = (0, 1) },
        new("process", "EVENTS", ["evt_type", "comm", "filename"], [[0, 1, 2], [0], [1], [2]]),
        new("signal", "SIGNALS", ["signal", "sender_comm", "target_comm", "result"], [[0, 1, 2, 3], [0], [1], [2]]),
        new("profile", "SAMPLES", ["pid", "comm", "ustack", "kstack"], [[0, 1], [2], [3], [0, 1, 2, 3]]) { Label = (0, 1) },
        new("uprobe", "CALLS", ["symbol", "pid", "comm"], [[0], [1, 2], [0, 1, 2]]) { Label = (1, 2) },
        new("lock", "WAITS", ["holder_tid", "holder", "address"], [[0, 1], [2], [0, 1, 2]]) { Sum = ("duration_ns", "TIME"), Label = (0, 1) },
    ];
}
