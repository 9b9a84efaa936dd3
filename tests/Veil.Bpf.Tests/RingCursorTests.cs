// SPDX-License-Identifier: GPL-3.0-only
using FsCheck.Xunit;

namespace Veil.Bpf.Tests;

public class RingCursorTests
{
    [Fact]
    public void Read_Empty_ReturnsNothing()
    {
        using var ring = new PlainRing(64);

        ring.Read().ShouldBeNull();
    }

    [Fact]
    public void Read_TwoRecords_ReturnsThemInOrder()
    {
        using var ring = new PlainRing(64);
        ring.Submit(1, 2, 3);
        ring.Submit(4);

        ring.Read().ShouldBe([1, 2, 3]);
        ring.Read().ShouldBe([4]);
        ring.Read().ShouldBeNull();
    }

    [Fact]
    public void Read_EmptyRecord_IsARecord()
    {
        using var ring = new PlainRing(64);
        ring.Submit();

        ring.Read().ShouldBe([]);
        ring.Read().ShouldBeNull();
    }

    [Fact]
    public void Read_RecordAcrossTheEnd_IsContiguous()
    {
        using var ring = new PlainRing(64, start: 48);
        byte[] payload = Enumerable.Range(1, 30).Select(i => (byte)i).ToArray();
        ring.Submit(payload);

        ring.Read().ShouldBe(payload);
        ring.Cursor.Release();
        ring.Consumer.ShouldBe((nuint)88);
    }

    [Fact]
    public void Read_PositionOverflows_GoesOn()
    {
        using var ring = new PlainRing(64, start: nuint.MaxValue - 15);
        ring.Submit(1, 2, 3, 4, 5, 6, 7, 8);
        ring.Submit(9);

        ring.Read().ShouldBe([1, 2, 3, 4, 5, 6, 7, 8]);
        ring.Read().ShouldBe([9]);
        ring.Cursor.Release();
        ring.Consumer.ShouldBe((nuint)16);
    }

    [Fact]
    public void Read_BusyRecord_StopsUntilItIsCommitted()
    {
        using var ring = new PlainRing(64);
        nuint busy = ring.Reserve([1, 2]);
        ring.Submit(3);

        ring.Read().ShouldBeNull();
        ring.Read().ShouldBeNull();

        ring.Commit(busy, 2);
        ring.Read().ShouldBe([1, 2]);
        ring.Read().ShouldBe([3]);
    }

    [Fact]
    public void Read_DiscardedRecords_AreSkipped()
    {
        using var ring = new PlainRing(64);
        ring.Discard(ring.Reserve([1, 2]), 2);
        ring.Discard(ring.Reserve([3]), 1);
        ring.Submit(4);

        ring.Read().ShouldBe([4]);
    }

    [Fact]
    public void Read_OnlyDiscarded_ReturnsNothingAndGivesTheSpaceBack()
    {
        using var ring = new PlainRing(64);
        ring.Discard(ring.Reserve([1, 2]), 2);

        ring.Read().ShouldBeNull();
        ring.Cursor.Release();
        ring.Consumer.ShouldBe((nuint)16);
    }

    [Fact]
    public void Read_DiscardedThenBusy_StopsBehindTheDiscarded()
    {
        using var ring = new PlainRing(64);
        ring.Discard(ring.Reserve([1]), 1);
        ring.Reserve([2]);

        ring.Read().ShouldBeNull();
        ring.Cursor.Release();
        ring.Consumer.ShouldBe((nuint)16);
    }

    [Fact]
    public void Release_NotCalled_LeavesTheConsumerPosition()
    {
        using var ring = new PlainRing(64);
        ring.Submit(1);
        ring.Read();

        ring.Consumer.ShouldBe((nuint)0);
        ring.Cursor.Pending.ShouldBe((nuint)16);
        ring.Cursor.Release();
        ring.Consumer.ShouldBe((nuint)16);
        ring.Cursor.Pending.ShouldBe((nuint)0);
    }

    [Fact]
    public void Read_LengthBeyondTheRing_Throws()
    {
        using var ring = new PlainRing(64);
        ring.WriteHeader(ring.Reserve([1]), 64);

        Should.Throw<BpfException>(() => ring.Read()).Message
            .ShouldBe("reading ring buffer: a record claims 64 bytes; a ring has one reader only");
    }

    [Property]
    public bool Read_AnyRecords_ReturnsWhatWasCommitted(byte[][] payloads, bool[] discards)
    {
        using var ring = new PlainRing(4096, start: 4000);
        for (int i = 0; i < payloads.Length; i++)
        {
            byte[] payload = payloads[i];
            bool discard = i < discards.Length && discards[i];
            nuint position = ring.Reserve(payload);
            if (discard)
                ring.Discard(position, payload.Length);
            else
                ring.Commit(position, payload.Length);
            byte[]? read = ring.Read();
            if (discard ? read is not null : read is null || !read.AsSpan().SequenceEqual(payload))
                return false;
            ring.Cursor.Release();
            if (ring.Consumer != ring.Producer)
                return false;
        }

        return true;
    }
}
