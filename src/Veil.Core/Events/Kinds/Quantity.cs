// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Events.Kinds;

/// <summary>A quantity, of which a histogram can be made.</summary>
/// <param name="Step">How much of a unit is one of the next.</param>
/// <param name="Units">The names of the units, the smallest first.</param>
internal sealed record Quantity(double Step, string[] Units)
{
    /// <summary>A number of things.</summary>
    public static readonly Quantity Count = new(1024, ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]);

    /// <summary>Ids of 32 bits, of which all ones is none.</summary>
    public static readonly Quantity Id = Count with { None = uint.MaxValue };

    /// <summary>A number of things or an id, of which 0 is none.</summary>
    public static readonly Quantity NotZero = Count with { None = 0 };

    /// <summary>The same, of which less than none can be.</summary>
    public static readonly Quantity Signed = Count with { IsSigned = true };

    /// <summary>Bytes.</summary>
    public static readonly Quantity Bytes = new(1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]);

    /// <summary>Nanoseconds between two events.</summary>
    public static readonly Quantity Nanoseconds = new(1000, ["ns", "us", "ms", "s"]) { NeedsTime = true };

    /// <summary>Microseconds that the kernel measured itself.</summary>
    public static readonly Quantity Microseconds = new(1000, ["us", "ms", "s"]);

    /// <summary>The value that stands for none: all ones in most kinds.</summary>
    public ulong None { get; init; } = ulong.MaxValue;

    /// <summary>Are there negative numbers?</summary>
    public bool IsSigned { get; init; }

    /// <summary>Is it the time of the event less an earlier one?</summary>
    public bool NeedsTime { get; init; }
}
