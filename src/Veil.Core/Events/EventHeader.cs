// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Events;

/// <summary>Where the common header keeps what the core itself needs.</summary>
public sealed class EventHeader
{
    /// <summary>Reads it from any event: all begin with the same header, whose last member is the time.</summary>
    public EventHeader(EventLayout layout)
    {
        KindOffset = OffsetOf(layout, "kind");
        PidOffset = OffsetOf(layout, "pid");
        TidOffset = OffsetOf(layout, "tid");
        UidOffset = OffsetOf(layout, "uid");
        TimestampOffset = OffsetOf(layout, "timestamp");
        SizeBytes = TimestampOffset + sizeof(ulong);
    }

    /// <summary>Bytes of the header: no record is shorter.</summary>
    public int SizeBytes { get; }

    /// <summary>The first bytes, which say who it was, and stay the same from event to event of a thread: all before the kind.</summary>
    public int IdentityBytes => KindOffset;

    /// <summary>Offset of the 32-bit kind.</summary>
    public int KindOffset { get; }

    /// <summary>Offset of the 32-bit thread group id.</summary>
    public int PidOffset { get; }

    /// <summary>Offset of the 32-bit thread id.</summary>
    public int TidOffset { get; }

    /// <summary>Offset of the 32-bit user id.</summary>
    public int UidOffset { get; }

    /// <summary>Offset of the 64-bit time since boot in nanoseconds.</summary>
    public int TimestampOffset { get; }

    private static int OffsetOf(EventLayout layout, string name) => layout.Find(name)?.Offset
        ?? throw new VeilException($"reading the events: struct {layout.Name} has no member {name}");
}
