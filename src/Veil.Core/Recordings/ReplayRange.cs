// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Core.Text;

namespace Veil.Core.Recordings;

/// <summary>What of a recording is given: events from one time to another, in nanoseconds since boot.</summary>
/// <param name="FromNs">The first.</param>
/// <param name="ToNs">The last.</param>
/// <param name="Paced">As fast as it was, and not as fast as it can be.</param>
internal readonly record struct ReplayRange(ulong FromNs, ulong ToNs, bool Paced = false)
{
    private static readonly string[] s_timesOfDay = ["HH:mm", "HH:mm:ss", "HH:mm:ss.FFFFFFF"];

    private static readonly string[] s_times =
        ["yyyy-MM-ddTHH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK", "yyyy-MM-ddTHH:mmK", "yyyy-MM-dd HH:mmK"];

    /// <summary>All of it.</summary>
    public static ReplayRange All { get; } = new(0, ulong.MaxValue);

    public bool Has(ulong timestamp) => timestamp >= FromNs && timestamp <= ToNs;

    /// <summary>Can it have an event of this block?</summary>
    public bool Meets(BlockHeader block) => block.LastNs >= FromNs && block.FirstNs <= ToNs;

    /// <summary>Reads a point in time.</summary>
    /// <param name="flag">The flag.</param>
    /// <param name="value">RFC 3339; a time of the day; a time since the beginning; none.</param>
    /// <param name="bootNs">The beginning, in nanoseconds since boot.</param>
    /// <param name="realNs">The same since 1970.</param>
    /// <returns>Nanoseconds since boot; less than 0 before it.</returns>
    /// <exception cref="UsageException">It is none of these.</exception>
    public static long? Parse(string flag, string? value, long bootNs, long realNs)
    {
        if (value is null)
            return null;
        const DateTimeStyles styles = DateTimeStyles.AssumeLocal | DateTimeStyles.AdjustToUniversal;
        bool isAlone = value.Length > 0 && char.IsAsciiDigit(value[^1]);
        if (DurationText.TryParse(isAlone ? value + "s" : value, out double sinceNs))
            return (long)(bootNs + sinceNs);
        var begun = DateTime.UnixEpoch.AddTicks(realNs / 100);
        bool isOfDay = TimeOnly.TryParseExact(value, s_timesOfDay, CultureInfo.InvariantCulture, DateTimeStyles.None, out var ofDay);
        var time = begun.ToLocalTime().Date.Add(ofDay.ToTimeSpan()).ToUniversalTime();
        if (!isOfDay && !DateTime.TryParseExact(value, s_times, CultureInfo.InvariantCulture, styles, out time))
            throw new UsageException(
                $"{flag}: '{Escaping.ForMessage(value)}' is not a time such as {TimeText(realNs)}, 04:49:05 or, since the beginning, 10s");
        return ((time - DateTime.UnixEpoch).Ticks * 100) - realNs + bootNs;
    }

    /// <summary>A time as people read it.</summary>
    public static string TimeText(long realNs) =>
        DateTime.UnixEpoch.AddTicks(realNs / 100).ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture);
}
