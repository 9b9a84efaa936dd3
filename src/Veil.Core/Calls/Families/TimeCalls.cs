// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;

namespace Veil.Core.Calls;

/// <summary>Calls on clocks and timers.</summary>
internal static class TimeCalls
{
    private static readonly Argument s_clock = Enum(FlagSets.ClockIds);
    private static readonly Argument s_timer = Int;

    private static readonly StructLayout s_timezone = new(StructField.Int("tz_minuteswest"), StructField.Int("tz_dsttime"));
    private static readonly StructLayout s_tms = new(StructField.Long("tms_utime"), StructField.Long("tms_stime"),
        StructField.Long("tms_cutime"),
        StructField.Long("tms_cstime"));

    private static readonly StructLayout s_itimerval = new(StructField.Timeval("it_interval"), StructField.Timeval("it_value"));
    private static readonly StructLayout s_itimerspec = new(StructField.Timespec("it_interval"), StructField.Timespec("it_value"));

    // Times are of 8 bytes wherever the call is of Linux 5.1 or later.
    private static readonly StructLayout s_itimerspec64 = new(WideTimespec("it_interval"), WideTimespec("it_value"));

    private static readonly StructLayout s_timex = new(StructField.Flags("modes", FlagSets.AdjtimexModes), StructField.Long("offset"),
        StructField.Long("freq"), StructField.Long("maxerror"), StructField.Long("esterror"), StructField.Flags("status",
            FlagSets.AdjtimexStatus),
        StructField.Long("constant"), StructField.Long("precision"), StructField.Long("tolerance"), StructField.Timeval("time"),
            StructField.Long("tick"),
        StructField.Long("ppsfreq"), StructField.Long("jitter"), StructField.Int("shift"), StructField.Long("stabil"),
            StructField.Long("jitcnt"),
        StructField.Long("calcnt"), StructField.Long("errcnt"), StructField.Long("stbcnt"), StructField.Int("tai"));

    private static readonly Argument s_seconds =
        new StructArgument(8, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
    {
        long seconds = bytes.Word(0, bytes.Length);
        writer.BeginArray();
        writer.Item();
        writer.Number(seconds);
        Times.Remark(ref writer, seconds, 0, digits: 9);
        writer.EndArray();
    })
        { Size32 = 4, IsOutput = true };

    /// <summary>Them.</summary>
    public static IEnumerable<CallSpec> All => [.. Clocks, .. Timers, .. Compat];

    private static IEnumerable<CallSpec> Clocks =>
    [
        new("gettimeofday", Time(isMicro: true, isOutput: true), s_timezone.Output),
        new("settimeofday", Time(isMicro: true), s_timezone.Input),
        new("time", s_seconds) { ResultWriter = TimeResult },
        new("times", s_tms.Output),
        new("clock_gettime", s_clock, Time(isOutput: true)),
        new("clock_getres", s_clock, Time(isOutput: true)),
        new("clock_settime", s_clock, Time()),
        new("nanosleep", Time(), TimeLeft()) { FillsAfterFailure = true },
        new("clock_nanosleep", s_clock, Flags(FlagSets.TimerFlags), Time(), TimeLeft()) { FillsAfterFailure = true },
        new("adjtimex", s_timex.Output) { ResultWriter = AdjustResult },
        new("clock_adjtime", s_clock, s_timex.Output) { ResultWriter = AdjustResult },
        new("alarm", UInt),
    ];

    private static IEnumerable<CallSpec> Timers =>
    [
        new("getitimer", Enum(FlagSets.ItimerWhich), s_itimerval.Output),
        new("setitimer", Enum(FlagSets.ItimerWhich), s_itimerval.Input, s_itimerval.Output),
        new("timer_create", s_clock, SignalEvent, Pointers.OutInt),
        new("timer_settime", s_timer, Flags(FlagSets.TimerFlags), s_itimerspec.Input, s_itimerspec.Output),
        new("timer_gettime", s_timer, s_itimerspec.Output),
        new("timer_getoverrun", s_timer),
        new("timer_delete", s_timer),
        new("timerfd_create", s_clock, Flags(FlagSets.TimerfdFlags)) { Result = CallResult.Descriptor },
        new("timerfd_settime", Fd, Flags(FlagSets.TimerfdSetFlags), s_itimerspec.Input, s_itimerspec.Output),
        new("timerfd_gettime", Fd, s_itimerspec.Output),
    ];

    private static IEnumerable<CallSpec> Compat =>
    [
        new("clock_gettime64", s_clock, Time(isOutput: true, isWide: true)),
        new("clock_getres_time64", s_clock, Time(isOutput: true, isWide: true)),
        new("clock_settime64", s_clock, Time(isWide: true)),
        new("clock_nanosleep_time64", s_clock, Flags(FlagSets.TimerFlags), Time(isWide: true), TimeLeft(isWide: true))
        {
            FillsAfterFailure = true,
        },
        new("timer_settime64", s_timer, Flags(FlagSets.TimerFlags), s_itimerspec64.Input, s_itimerspec64.Output),
        new("timer_gettime64", s_timer, s_itimerspec64.Output),
        new("timerfd_settime64", Fd, Flags(FlagSets.TimerfdSetFlags), s_itimerspec64.Input, s_itimerspec64.Output),
        new("timerfd_gettime64", Fd, s_itimerspec64.Output),
    ];

    private static StructArgument Time(bool isMicro = false, bool isOutput = false, bool isWide = false) =>
        new(16, (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) => Times.Write(ref writer, bytes, bytes.Length / 2,
            isMicro))
        {
            Size32 = isWide ? 16 : 8,
            IsOutput = isOutput,
        };

    private static StructField WideTimespec(string name) =>
        new(name, 16, 16, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        Times.Write(ref writer, bytes, 8, isMicro: false));

    private static void TimeResult(ref CallWriter writer, in CallView call)
    {
        writer.Number(call.Ret);
        int start = writer.Line.Length;
        Times.Remark(ref writer, call.Ret, 0, digits: 9);
        // Here strace has the date in parentheses.
        if (writer.Line.Length > start)
        {
            writer.Line.Replace(start, start + " /* "u8.Length, " ("u8);
            writer.Line.Replace(writer.Line.Length - " */"u8.Length, writer.Line.Length, ")"u8);
        }
    }

    private static void AdjustResult(ref CallWriter writer, in CallView call)
    {
        writer.Number(call.Ret);
        writer.TextOnly(" ("u8);
        writer.Name(FlagSets.AdjtimexStates, (ulong)call.Ret);
        writer.TextOnly(")"u8);
    }

    /// <summary>How a timer or a queue tells of itself.</summary>
    public static Argument SignalEvent { get; } = new StructArgument(32, Event) { Size32 = 20 };

    // Only an interrupted call leaves it; of an absolute time there is none.
    private static OwnArgument TimeLeft(bool isWide = false) => new((ref CallWriter writer, in CallView call, int position) =>
    {
        const int interrupted = -4, restarted = -516; // EINTR, ERESTART_RESTARTBLOCK
        int word = isWide ? 8 : call.WordBytes;
        var chunk = call.Find(position, output: true);
        if (call.Ret is interrupted or restarted && chunk.Has(2 * word) && (position < 2 || ((uint)call[1] & 1) == 0))
            Times.Write(ref writer, chunk.Bytes[..(2 * word)], word, isMicro: false);
        else
            writer.Address(call[position]);
    })
    { End = new(CallRead.Fixed, 16, 16) };

    // struct sigevent: a value of a word, two numbers, and what belongs to the second.
    private static void Event(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        const uint signal = 0, thread = 2, threadId = 4;
        int word = call.WordBytes;
        uint notify = bytes.U32(word + 4);
        writer.BeginStruct();
        if (bytes.UWord(0, word) != 0)
        {
            writer.Field("sigev_value"u8);
            writer.BeginStruct();
            writer.Field("sival_int"u8, bytes.I32(0));
            writer.Field("sival_ptr"u8);
            writer.Address(bytes.UWord(0, word));
            writer.EndStruct();
        }

        writer.Field("sigev_signo"u8);
        if (notify is signal or thread or threadId)
            SignalSet.WriteSignal(ref writer, bytes.U32(word));
        else
            writer.Unsigned(bytes.U32(word));
        writer.Field("sigev_notify"u8);
        writer.Name(FlagSets.SigeventNotify, notify);
        if (notify == threadId)
        {
            writer.Field("sigev_notify_thread_id"u8, bytes.I32(word + 8));
        }
        else if (notify == thread)
        {
            writer.Field("sigev_notify_function"u8);
            writer.Address(bytes[(word + 8)..].UWord(0, word));
            writer.Field("sigev_notify_attributes"u8);
            writer.Address(bytes[(word + 8)..].UWord(1, word));
        }

        writer.EndStruct();
    }
}
