// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Formats;

/// <summary>An argument of a kind of event, and what became of its last value: most are the same from event to event.</summary>
/// <param name="name">The number of its name.</param>
internal sealed class PerfettoArgument(ulong name)
{
    private const int BytesMax = 160;

    private readonly byte[] _json = new byte[BytesMax];
    private readonly byte[] _encoded = new byte[BytesMax];
    private int _jsonLength;
    private int _encodedLength;

    public ulong Name => name;

    /// <summary>Is it that value again?</summary>
    public bool Is(ReadOnlySpan<byte> json) => json.SequenceEqual(_json.AsSpan(0, _jsonLength));

    /// <summary>What that value became.</summary>
    public ReadOnlySpan<byte> Encoded => _encoded.AsSpan(0, _encodedLength);

    /// <summary>Remembers a value that is not too long.</summary>
    public void Remember(ReadOnlySpan<byte> json, ReadOnlySpan<byte> encoded)
    {
        if (json.Length > BytesMax || encoded.Length > BytesMax)
            return;
        json.CopyTo(_json);
        encoded.CopyTo(_encoded);
        (_jsonLength, _encodedLength) = (json.Length, encoded.Length);
    }
}
