// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Events;
using Veil.Core.Text;

namespace Veil.Core.Sinks;

/// <summary>
/// The part of a line that says who it was (name, ids), as it was last written for each of some threads. A thread's events repeat it, and a
/// copy takes a fifth of the time.
/// </summary>
internal sealed class IdentityMemory(EventHeader header)
{
    private const int Threads = 64; // a power of two: the last bits of the thread's id choose the place
    private const int TextBytesMax = 192; // a longer one is written each time

    private readonly byte[] _identities = new byte[Threads * header.IdentityBytes];
    private readonly byte[] _texts = new byte[Threads * TextBytesMax];
    private readonly int[] _lengths = new int[Threads];

    /// <summary>Appends what was remembered.</summary>
    /// <returns>False where there is nothing for this very identity.</returns>
    public bool TryAppend(ref LineWriter line, ReadOnlySpan<byte> record)
    {
        var text = Find(record);
        line.Append(text);
        return !text.IsEmpty;
    }

    /// <summary>What was remembered; nothing where there is none for this very identity.</summary>
    public ReadOnlySpan<byte> Find(ReadOnlySpan<byte> record)
    {
        int place = PlaceOf(record);
        return record[..header.IdentityBytes].SequenceEqual(_identities.AsSpan(place * header.IdentityBytes, header.IdentityBytes))
            ? _texts.AsSpan(place * TextBytesMax, _lengths[place]) : [];
    }

    /// <summary>Keeps what was written for an identity.</summary>
    public void Remember(ReadOnlySpan<byte> record, ReadOnlySpan<byte> text)
    {
        if (text.Length > TextBytesMax)
            return;
        int place = PlaceOf(record);
        record[..header.IdentityBytes].CopyTo(_identities.AsSpan(place * header.IdentityBytes));
        text.CopyTo(_texts.AsSpan(place * TextBytesMax));
        _lengths[place] = text.Length;
    }

    private int PlaceOf(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadInt32LittleEndian(record[header.TidOffset..]) & (Threads - 1);
}
