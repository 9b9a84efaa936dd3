// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using Veil.Core;
using Veil.Core.Counting;
using Veil.Core.Modules;
using Veil.Core.Recordings;
using Veil.Core.Stacks;
using Veil.Core.Text;

namespace Veil.Cli;

/// <summary>The flags about stacks.</summary>
internal static class StackFlags
{
    /// <summary><c>--stack</c>.</summary>
    /// <exception cref="UsageException">A value is wrong, or nothing would come of it.</exception>
    public static StackKinds Read(ParseResult parsed, TraceFlags flags, CountOptions? counting)
    {
        string[] names = ["user", "kernel"];
        var kinds = StackKinds.None;
        foreach (string word in TraceCommand.Words(flags.Stack.Name, parsed.GetValue(flags.Stack) ?? []))
        {
            kinds |= word switch
            {
                "user" => StackKinds.User,
                "kernel" => StackKinds.Kernel,
                _ => throw new UsageException(
                    $"{flags.Stack.Name}: '{Escaping.ForMessage(word)}' is no kind of stack{NearestName.Hint(word, names)} (available: {string.Join(", ", names)})"),
            };
        }

        if (kinds != StackKinds.None && counting?.By.Any(IsStack) == false)
            throw new UsageException(
                $"{flags.Stack.Name}: counts have the stacks that they are counted by; --count-by {string.Join(',', StackFields.Names(kinds))} counts by them");
        return kinds;
    }

    /// <summary>The same of a recording.</summary>
    /// <exception cref="UsageException">The same, or they were not recorded.</exception>
    public static StackKinds ReadRecorded(ParseResult parsed, TraceFlags flags, CountOptions? counting, RecordingDescription recording)
    {
        var kinds = Read(parsed, flags, counting);
        foreach (string field in StackFields.Names(kinds))
        {
            if (recording.OriginFields?.Contains(field) != true && !recording.Events.Any(facts => facts.Layout.Find(field) is not null))
                throw new UsageException($"{flags.Stack.Name}: that was not recorded; record with {flags.Stack.Name}");
        }

        return kinds;
    }

    /// <summary>The stacks behind the events of a recording.</summary>
    public static StackKinds RecordedIn(RecordingDescription recording) =>
        (recording.OriginFields ?? new HashSet<string>()).Aggregate(StackKinds.None, static (kinds, field) => kinds | StackFields.Of(field));

    /// <summary>Checks <c>--output folded</c>.</summary>
    /// <exception cref="UsageException">No stack is counted by.</exception>
    public static void RequireFolded(IReadOnlyList<TraceModule> modules, CountOptions? counting)
    {
        const string flag = "--output folded";
        if (counting is null || !modules.Any(module => counting.KeysOf(module).Any(IsStack)))
            throw new UsageException($"{flag}: its lines are counts by a stack; add --count-by comm,{StackFields.Both}");
        if (counting.Histogram is not null)
            throw new UsageException($"{flag}: a line has one number, and a histogram many; leave --hist out");
        if (counting.Interval is not null)
            throw new UsageException($"{flag}: lines do not say of which interval they are; leave --interval out");
    }

    private static bool IsStack(string field) => field.EndsWith(StackFields.Both, StringComparison.Ordinal);
}
