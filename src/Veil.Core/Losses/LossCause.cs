// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Losses;

/// <summary>Causes of loss that userspace counts itself, and what to do about each.</summary>
internal static class LossCause
{
    /// <summary>The kernel did not run the program.</summary>
    public const string MissedProbe = "missed_probe";

    /// <summary>A record that is not what its event should be; the kernel counts memory that it could not read under the same
    /// name.</summary>
    public const string ReadFailed = "read_failed";

    /// <summary>The output failed.</summary>
    public const string NotWritten = "not_written";

    /// <summary>What <see cref="NotWritten"/> is counted under instead of a module.</summary>
    public const string Output = "output";

    /// <summary>No room to keep what waits; the kernel counts what it cannot remember under the same name.</summary>
    public const string MapFull = "map_full";

    /// <summary>No room for what is still to be written to a recording.</summary>
    public const string QueueFull = "queue_full";

    /// <summary>The disk did not take it.</summary>
    public const string NotRecorded = "not_recorded";

    /// <summary>Events came faster than they can be packed for a receiver.</summary>
    public const string TooFast = "too_fast";

    /// <summary>What waits for the receiver fills its buffer.</summary>
    public const string BufferFull = "buffer_full";

    /// <summary>The receiver does not take them.</summary>
    public const string Refused = "refused";

    /// <summary>The trace ended before they were sent.</summary>
    public const string NotSent = "not_sent";

    /// <summary>What a user can do, or has to know; begins with a blank where there is something.</summary>
    public static string Hint(string cause) => cause switch
    {
        "ring_full" => " (events came faster than the output took them: filter more, write to a file, or give --buffer a larger size)",
        MapFull => " (more calls under way at once than can be remembered: filter more)",
        MissedProbe =>
            " (the kernel skipped the program, because one was running on that CPU already; whether a filter would have left the " +
            "event out is not known)",
        ReadFailed => " (memory that the event needs could not be read)",
        QueueFull => " (the disk took them slower than they came; the output has them)",
        NotRecorded => " (the disk did not take them; the output has them)",
        NotWritten => " (the output ended before it took them)",
        TooFast => " (events came faster than they can be packed: filter more, or give it more CPU)",
        BufferFull => " (the receiver took them too slowly, or was away: --export-buffer keeps more)",
        Refused => " (the receiver answered that it does not take them)",
        NotSent => " (the trace ended before the receiver took them)",
        _ => "",
    };
}
