// SPDX-License-Identifier: GPL-3.0-only
using BenchmarkDotNet.Attributes;
using Veil.Bpf.Tests;

namespace Veil.MicroBench;

/// <summary>A record out of the ring: the cursor's part, on plain memory.</summary>
public class RingReading : IDisposable
{
    private const int Records = 4096;
    private readonly PlainRing _ring = new(Records * 64);
    private Veil.Bpf.RingCursor _start;

    [GlobalSetup]
    public void Fill()
    {
        byte[] record = Sample.Record();
        for (int i = 0; i < Records; i++)
            _ring.Submit(record);
        _start = _ring.Cursor;
    }

    [Benchmark(OperationsPerInvoke = Records)]
    public unsafe int Read()
    {
        var cursor = _start;
        int bytes = 0;
        _ = cursor.Refresh();
        while (!cursor.IsAtKnownEnd && cursor.TryNext(out _, out int length))
            bytes += length;
        return bytes;
    }

    public void Dispose()
    {
        _ring.Dispose();
        GC.SuppressFinalize(this);
    }
}
