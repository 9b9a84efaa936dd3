// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Events;

/// <summary>An event where it lies in the ring. Valid only inside the call that it is handed to; copy what must outlive it.</summary>
public ref struct EventView
{
    /// <summary>The longest name that an enrichment hands on, in bytes.</summary>
    public const int NameBytesMax = 256;

    /// <summary>The record, exactly as the program wrote it.</summary>
    public ReadOnlySpan<byte> Record { get; set; }

    /// <summary>Its layout.</summary>
    public EventSchema Schema { get; set; }

    /// <summary>Nanoseconds since 1970 in UTC; set by the time enrichment.</summary>
    public long WallTimeNs { get; set; }

    /// <summary>The user's name, raw bytes; empty where it is not known.</summary>
    public ReadOnlySpan<byte> UserName { get; set; }

    /// <summary>The process's current name, raw bytes; empty where it is not known.</summary>
    public ReadOnlySpan<byte> ProcName { get; set; }

    /// <summary>The file that the process runs, raw bytes; empty where it has none, or it is not known.</summary>
    public ReadOnlySpan<byte> Executable { get; set; }

    /// <summary>The container; none where the event is in none, or it is not known.</summary>
    public ContainerText? Container { get; set; }

    /// <summary>Why a path refused the call, raw bytes; empty where it did not, or nothing is to be seen.</summary>
    public ReadOnlySpan<byte> Why { get; set; }
}
