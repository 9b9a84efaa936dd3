// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;

namespace Veil.Core.Events;

/// <summary>Where the common header keeps what the core itself needs, read from BTF.</summary>
public sealed class EventHeader
{
    private EventHeader(BtfStruct header)
    {
        KindOffset = OffsetOf(header, "kind");
        PidOffset = OffsetOf(header, "pid");
        TidOffset = OffsetOf(header, "tid");
        UidOffset = OffsetOf(header, "uid");
        TimestampOffset = OffsetOf(header, "timestamp");
        SizeBytes = header.SizeBytes;
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

    /// <summary>Reads it from any object: all are built with the same header.</summary>
    public static EventHeader FromBtf(Btf btf) =>
        new(btf.FindStruct("veil_event") ?? throw new VeilException("reading the events: the object has no struct veil_event"));

    private static int OffsetOf(BtfStruct header, string name)
    {
        foreach (var member in header.Members)
        {
            if (member.Name == name)
                return member.OffsetBytes;
        }

        throw new VeilException($"reading the events: struct veil_event has no member {name}");
    }
}
