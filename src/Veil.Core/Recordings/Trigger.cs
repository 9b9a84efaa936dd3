// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Events;
using Veil.Core.Kernel;
using Veil.Core.Modules;
using Veil.Core.Text;

namespace Veil.Core.Recordings;

/// <summary>What has a flight recorder write: <c>exit!=0</c>, <c>signal=SEGV</c>, <c>slower=1s</c>, <c>errno=ENOSPC</c>.</summary>
internal sealed class Trigger
{
    private const string Exit = "exit!=0", Signal = "signal=", Slower = "slower=", Error = "errno=";

    private static readonly string[] s_forms = [Exit, Signal + "SEGV", Slower + "1s", Error + "ENOSPC"];
    private static readonly string[] s_words = ["exit!=0", "exit", "signal", "slower", "errno"];

    private readonly Func<EventSchema, EventFilter?> _of;
    private readonly string _needs;

    private Trigger(string text, string needs, Func<EventSchema, EventFilter?> of) => (Text, _needs, _of) = (text, needs, of);

    /// <summary>As it was given.</summary>
    public string Text { get; }

    /// <summary>Reads one.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public static Trigger Parse(string text)
    {
        if (text == Exit)
            return new(text, "--module process", static schema => ResultFilter.OfExit(schema.Layout));
        if (After(text, Signal) is { } name)
            return SignalNames.TryParse(name, out int signal)
                ? new(text, "--module signal", schema => NumberFilter.Of("--trigger", (ulong)signal, SignalOf(schema.Layout)))
                : throw Wrong(text, $"'{Escaping.ForMessage(name)}' is no signal{NearestName.Hint(name.ToUpperInvariant(), SignalNames.All)}");
        if (After(text, Slower) is { } time)
            return DurationText.TryParse(time, out double ns) && ns >= 1
                ? new(text, "--module syscall --returns", schema => RecordedFilters.Duration(schema.Layout) is { } duration ? new SlowFilter((ulong)ns, duration) : null)
                : throw Wrong(text, $"'{Escaping.ForMessage(time)}' is no duration such as 10ms or 1s");
        if (After(text, Error) is { } error)
            return Errno.TryGetNumber(error, out int number)
                ? new(text, "--module syscall --returns", schema => ResultFilter.OfErrno(schema.Layout, (ulong)number))
                : throw Wrong(text, $"unknown error '{Escaping.ForMessage(error)}'{NearestName.Hint(error.ToUpperInvariant(), Errno.Names)}");
        throw Wrong(text, $"is none of {string.Join(", ", s_forms)}{NearestName.Hint(text.Split('=', '!')[0], s_words)}");
    }

    /// <summary>By <see cref="EventSchema.Index"/> what fires; none: nothing does.</summary>
    /// <exception cref="UsageException">No event of the trace can.</exception>
    public EventFilter?[] Of(EventCatalog events)
    {
        EventFilter?[] filters = [.. events.Schemas.Select(_of)];
        return Array.Exists(filters, static filter => filter is not null) ? filters
            : throw new UsageException($"--trigger {Escaping.ForMessage(Text)}: no event of this trace says that; trace it too, as by {_needs}");
    }

    private static string? After(string text, string beginning) =>
        text.StartsWith(beginning, StringComparison.Ordinal) ? text[beginning.Length..] : null;

    private static List<EventMember> SignalOf(EventLayout layout) =>
        [.. new[] { layout.Find("signal"), layout.Find("exit_signal") }.Where(static member => member is { Size: >= sizeof(uint) })
            .Select(static member => member! with { Size = sizeof(uint) })];

    private static UsageException Wrong(string text, string why) => new($"--trigger: '{Escaping.ForMessage(text)}': {why}");
}
