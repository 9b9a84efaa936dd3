// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Interop;

namespace Veil.Core.Enrichers;

/// <summary>Turns the kernel's time since boot into wall-clock time.</summary>
public sealed class WallClock
{
    // The wall clock is stepped and slewed while the time since boot is not, so the distance is measured again.
    private const long MeasureEveryNs = 1_000_000_000;
    private long _distanceNs;
    private long _measuredAtNs = long.MinValue / 2;

    /// <summary>Nanoseconds since 1970 in UTC, of nanoseconds since boot.</summary>
    public long FromBootTime(long bootNs)
    {
        if (bootNs - _measuredAtNs > MeasureEveryNs)
        {
            _distanceNs = LibC.NowNs(LibC.ClockRealtime) - LibC.NowNs(LibC.ClockBoottime);
            _measuredAtNs = bootNs;
        }

        return bootNs + _distanceNs;
    }
}
