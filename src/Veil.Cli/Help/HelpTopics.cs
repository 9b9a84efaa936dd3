// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Modules;

namespace Veil.Cli.Help;

/// <summary>What <c>veil help</c> knows beside modules, commands and flags: questions by symptom, and topics that many flags
/// share.</summary>
internal static class HelpTopics
{
    /// <summary>A question with the command that answers it.</summary>
    public static IReadOnlyList<(string Question, string Command)> Questions { get; } =
    [
        ("what is slow?", "veil --module syscall -n nginx --slower 10ms"),
        ("why is this process slow?", "veil why 812"),
        ("what is stuck?", "veil stuck"),
        ("what runs now, live?", "veil top"),
        ("what burns the CPU, in which function?", "veil --module profile --count-by comm,ustack --duration 10s"),
        ("what does it wait for?", "veil --module scheduler -n nginx --sum off_cpu_ns --count-by comm,kstack"),
        ("who holds the lock?", "veil --module lock -n nginx --slower 10ms"),
        ("what fails?", "veil --module syscall -n nginx --failed"),
        ("which file is missing?", "veil --module files --op open --errno ENOENT"),
        ("who is refused, and why?", "veil --module files --errno EACCES,EPERM --enrich why"),
        ("who deletes a file?", "veil --module files --op unlink,rename --file /srv/app/"),
        ("what does it do most?", "veil --module syscall -n nginx --count"),
        ("who empties a file?", "veil --module files --op open,truncate --file /srv/app/log"),
        ("which file's fsync costs the most?", "veil --module files --op sync --sum duration_ns --count-by filename"),
        ("who runs out of descriptors?", "veil --module syscall --errno EMFILE,ENFILE"),
        ("who reads and writes?", "veil --module files --op read,write --count-by comm"),
        ("who talks to whom?", "veil --module network"),
        ("what does this pod connect to?", "veil --module network --pod shop/cart --event CONNECT"),
        ("which connections does it keep open?", "veil --module network -n nginx --lifetimes"),
        ("what loses packets, what queue is full?", "veil --module network --event RETRANSMIT,OVERFLOW,DROP"),
        ("which names does it look up?", "veil --module network --event DNS -n nginx"),
        ("what does this script do?", "veil --module process --output tree -- ./script.sh"),
        ("how do I catch it when it comes again?", "veil --module process,syscall -n nginx --record crash.veil --flight 64M --trigger exit!=0"),
        ("what changed between good and bad?", "veil diff good.veil bad.veil"),
        ("what ended badly, and who ran it?", "veil --module process --failed"),
        ("who kills my process?", "veil --module signal -n nginx --effect deadly"),
        ("which container opens this file?", "veil --module files --file /etc/shadow --enrich container"),
        ("why does it wait for a CPU?", "veil --module scheduler -n nginx --slower 10ms"),
        ("does it wait for the disk?", "veil --module memory --fault major"),
        ("what came first, on a time line?", "veil export web.veil --to perfetto"),
        ("which function is called?", "veil --module uprobe --uprobe /usr/bin/bash:readline --latency"),
    ];

    /// <summary>What a bare <c>veil</c> shows: three questions to start with.</summary>
    public static IEnumerable<(string Question, string Command)> Starters =>
        Questions.Where(static entry => entry.Question is "what is slow?" or "which file is missing?" or "who talks to whom?");

    /// <summary>The topics, with what each is about.</summary>
    public static IReadOnlyList<(string Name, string Summary)> Topics { get; } =
    [
        (Filters, "choose what is traced"),
        (Counting, "counts and histograms instead of events"),
        (Losses, "which events can be lost, why, and what helps"),
        (Control, "change a running trace"),
    ];

    /// <summary>Topic names.</summary>
    public const string Filters = "filters", Counting = "counting", Losses = "losses", Control = "control";

    /// <summary>Why an event can be lost.</summary>
    public static IReadOnlyList<(string Cause, string Meaning)> LossCauses { get; } =
    [
        ("ring_full", "events came faster than the output took them: filter more, write to a file, or give --buffer a larger size"),
        ("map_full", "more calls were in progress at once than can be remembered: filter more"),
        ("missed_probe", "the kernel skipped the BPF program, because one was already running on that CPU"),
        ("stacks", "there was no room for the frames of a stack: the event is there without it; with counts --keys, and with --unwind dwarf --buffer makes room for more"),
        ("read_failed", "a record was damaged and is not shown"),
        ("not_written", "the output failed; the line before says why"),
        ("queue_full", "the disk of --record took events slower than they came; the output has them"),
        ("not_recorded", "the disk of --record was full or failed; the output has them"),
    ];

    /// <summary>Examples that show how to count.</summary>
    public static IReadOnlyList<Example> CountingExamples { get; } =
    [
        new("veil --module syscall --count", "which calls, how often"),
        new("veil --module syscall --returns --count-by comm,syscall --sort errors", "whose calls fail"),
        new("veil --module files --op read --count-by comm --interval 1", "who reads, each second"),
        new("veil --module network --sum rx_bytes --count-by comm,dport", "who received how much"),
        new("veil --module scheduler --hist wait_ns", "how long tasks wait for a CPU"),
    ];
}
