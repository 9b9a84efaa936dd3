// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using Veil.Core;
using Veil.Core.Counting;
using Veil.Core.Modules;
using Veil.Core.Options;
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

    /// <summary><c>--jit</c>.</summary>
    /// <exception cref="UsageException">A value is wrong.</exception>
    public static bool ReadJit(ParseResult parsed, TraceFlags flags)
    {
        const string ask = "ask";
        var words = TraceCommand.Words(flags.Jit.Name, parsed.GetValue(flags.Jit) ?? []);
        if (words.FirstOrDefault(static word => word != ask) is { } unknown)
            throw new UsageException($"{flags.Jit.Name}: '{Escaping.ForMessage(unknown)}' is no way to name compiled code (available: {ask})");
        return words.Count > 0;
    }

    /// <summary>Checks what is about names of user space.</summary>
    /// <exception cref="UsageException">There are none.</exception>
    public static SessionOptions Check(ParseResult parsed, TraceFlags flags, SessionOptions options)
    {
        string? given = options.ShowsLines ? flags.Lines.Name : options.AsksJit ? flags.Jit.Name : null;
        if (given is not null && !options.StacksTaken.HasFlag(StackKinds.User))
            throw new UsageException($"{given}: it is for frames of user space, and none are asked for; add --stack user, or --count-by ustack");
        return options;
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

    /// <summary><c>--unwind</c>.</summary>
    /// <exception cref="UsageException">It has another value.</exception>
    public static StackUnwind ReadUnwind(ParseResult parsed, TraceFlags flags)
    {
        string[] names = ["fp", "dwarf", "auto"];
        return parsed.GetValue(flags.Unwind) switch
        {
            null or "fp" => StackUnwind.FramePointers,
            "dwarf" => StackUnwind.Tables,
            "auto" => StackUnwind.Both,
            var other => throw new UsageException(
                $"{flags.Unwind.Name}: '{Escaping.ForMessage(other)}' is no way to unwind{NearestName.Hint(other, names)} (available: {string.Join(", ", names)})"),
        };
    }

    /// <summary><c>--stack-copy</c>, in bytes.</summary>
    /// <exception cref="UsageException">It is none, or nothing is copied.</exception>
    public static int ReadCopy(ParseResult parsed, TraceFlags flags, StackUnwind unwind)
    {
        if (parsed.GetValue(flags.StackCopy) is not { } value)
            return CopiedStacks.UsualBytes;
        if (SizeFlag.Read(value) is not ({ } bytes and >= CopiedStacks.PageBytes and <= CopiedStacks.BytesMax) || bytes % CopiedStacks.PageBytes != 0)
            throw new UsageException(
                $"{flags.StackCopy.Name}: '{Escaping.ForMessage(value)}' is not a size from {CopiedStacks.PageBytes >> 10}K to {CopiedStacks.BytesMax >> 10}K " +
                $"in steps of {CopiedStacks.PageBytes >> 10}K, such as {CopiedStacks.UsualBytes >> 10}K");
        return unwind != StackUnwind.FramePointers ? (int)bytes
            : throw new UsageException($"{flags.StackCopy.Name}: nothing is copied without {flags.Unwind.Name} dwarf or auto; add one of them");
    }

    /// <summary>Is anything counted by a stack in user space?</summary>
    public static bool CountsByUser(IEnumerable<TraceModule> modules, CountOptions counting) =>
        modules.Any(module => counting.KeysOf(module).Any(static field => field.EndsWith(StackFields.User, StringComparison.Ordinal)));

    /// <summary>Refuses to unwind what is not there.</summary>
    /// <exception cref="UsageException">No stack in user space is taken.</exception>
    public static void RequireUser(StackKinds taken, StackUnwind unwind, TraceFlags flags)
    {
        if (unwind != StackUnwind.FramePointers && !taken.HasFlag(StackKinds.User))
            throw new UsageException(
                $"{flags.Unwind.Name}: no stack in user space is asked for; add {flags.Stack.Name} user, or count by {StackFields.User}");
    }

    private static bool IsStack(string field) => field.EndsWith(StackFields.Both, StringComparison.Ordinal);
}
