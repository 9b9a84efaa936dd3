// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;

namespace Veil.Core.Recordings;

/// <summary>What of a recording is given: events from one time to another, in nanoseconds since boot.</summary>
/// <param name="FromNs">The first.</param>
/// <param name="ToNs">The last.</param>
internal readonly record struct ReplayRange(ulong FromNs, ulong ToNs)
{
    /// <summary>All of it.</summary>
    public static ReplayRange All { get; } = new(0, ulong.MaxValue);

    public bool Has(ulong timestamp) => timestamp >= FromNs && timestamp <= ToNs;

    /// <summary>Can it have an event of this block?</summary>
    public bool Meets(BlockHeader block) => block.LastNs >= FromNs && block.FirstNs <= ToNs;

    /// <summary>A time as people read it.</summary>
    public static string TimeText(long realNs) =>
        DateTime.UnixEpoch.AddTicks(realNs / 100).ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture);
}
