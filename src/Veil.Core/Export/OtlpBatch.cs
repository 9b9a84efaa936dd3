// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Export;

/// <summary>Records on their way to be packed. It is used again and again.</summary>
internal sealed class OtlpBatch
{
    private const int FirstBytes = 256 * 1024;

    /// <summary>The records, one behind the other.</summary>
    public ProtoBuffer Records { get; } = new(FirstBytes);

    /// <summary>Events among them.</summary>
    public int Events { get; set; }

    /// <summary>Makes it empty.</summary>
    public void Clear()
    {
        Records.Truncate(0);
        Events = 0;
    }
}

/// <summary>A request that waits for the receiver.</summary>
/// <param name="Body">What is sent, compressed where it is to be.</param>
/// <param name="Events">Events in it.</param>
internal sealed record OtlpRequest(byte[] Body, int Events);
