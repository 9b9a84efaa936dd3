// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Veil.Bpf;
using Veil.Core.Interop;

namespace Veil.Core.Sources;

/// <summary>
/// Reads several rings as one, by the time of the events. An event is held back while a ring that is empty could still bring an earlier
/// one: for <see cref="BoundNs"/>, which is far more than a program takes from its clock to its last store. Copies nothing.
/// </summary>
internal sealed unsafe class RingMerge
{
    /// <summary>What an event may be late and still be in order.</summary>
    public const long BoundNs = 5_000_000;

    // The producers see free space late if it is given back late, and the cache line bounces if it is given back often.
    private const int ReleaseEveryBytes = 64 * 1024;
    private const int ReleasesARound = 16; // as in EventReader

    private readonly RingBuffer[] _rings;
    private readonly Head[] _heads;
    private readonly int _timestampOffset;
    private readonly int _releaseEvery;
    private ulong _cutoff;

    public RingMerge(RingBuffer[] rings, int timestampOffset)
    {
        _rings = rings;
        _heads = new Head[rings.Length];
        _timestampOffset = timestampOffset;
        _releaseEvery = Math.Min(ReleaseEveryBytes, rings[0].SizeBytes / ReleasesARound);
    }

    /// <summary>Is there an event that waits for its turn?</summary>
    public bool Holds => Array.Exists(_heads, static head => head.Data != null);

    /// <summary>Begins a pass over the rings.</summary>
    /// <param name="last">Nothing more will be written: hold nothing back.</param>
    public void Begin(bool last)
    {
        _cutoff = last ? ulong.MaxValue : (ulong)(LibC.NowNs(LibC.ClockBoottime) - BoundNs);
        for (int i = 0; i < _heads.Length; i++)
            _heads[i].SeenEmpty = false;
    }

    /// <summary>The next record in order. It is valid until the next call.</summary>
    /// <returns>False where the pass is over: there is none, or it is too young.</returns>
    public bool TryRead(out ReadOnlySpan<byte> record)
    {
        int first = -1;
        bool someEmpty = false;
        ulong earliest = ulong.MaxValue;
        for (int i = 0; i < _heads.Length; i++)
        {
            ref var head = ref _heads[i];
            if (head.Data == null && !Fill(i, ref head))
            {
                someEmpty = true;
            }
            else if (head.Timestamp < earliest || first < 0)
            {
                earliest = head.Timestamp;
                first = i;
            }
        }

        if (first < 0 || (someEmpty && earliest > _cutoff))
        {
            record = default;
            return false;
        }

        ref var taken = ref _heads[first];
        record = new ReadOnlySpan<byte>(taken.Data, taken.Length);
        taken.Data = null;
        taken.Unreleased += taken.Length;
        return true;
    }

    /// <summary>Ends a pass: gives back what was read.</summary>
    public void End()
    {
        for (int i = 0; i < _heads.Length; i++)
        {
            if (_heads[i].Data == null)
                Release(i, ref _heads[i]);
        }
    }

    private bool Fill(int number, ref Head head)
    {
        if (head.SeenEmpty)
            return false;
        // The last record of this ring was handed out by the call before, and is done with.
        if (head.Unreleased >= _releaseEvery)
            Release(number, ref head);
        if (!_rings[number].TryRead(out var record))
        {
            head.SeenEmpty = true;
            return false;
        }

        // In mapped memory, which does not move.
        head.Data = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(record));
        head.Length = record.Length;
        head.Timestamp =
            record.Length >= _timestampOffset + sizeof(ulong) ? BinaryPrimitives.ReadUInt64LittleEndian(record[_timestampOffset..]) : 0;
        return true;
    }

    private void Release(int number, ref Head head)
    {
        _rings[number].Release();
        head.Unreleased = 0;
    }

    /// <summary>The first record of a ring that was not handed out yet, and what is known of the ring.</summary>
    private struct Head
    {
        public byte* Data;
        public int Length;
        public int Unreleased;
        public ulong Timestamp;
        public bool SeenEmpty;
    }
}
