// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Bpf;
using Veil.Bpf.Interop;
using Veil.Core.Interop;

namespace Veil.Core.Symbols;

/// <summary>
/// Follows what all processes map, by perf's records of each CPU. A thread of its own empties them before they are full; records are
/// applied in the order of their times, whichever CPU they came from.
/// </summary>
internal sealed unsafe class MappingWatch : IDisposable
{
    private const int RingBytes = 1 << 17;

    // A record's time is taken before it is in the ring.
    private const long SettleNs = 1_000_000;
    private const int WaitMs = 1_000;

    private readonly List<PerfRecordRing> _rings;
    private readonly List<MapRecord> _pending = [];
    private readonly MappingHistory _history;
    private readonly Lock _gate;
    private readonly PerfRecordRing.RecordAction _take;
    private readonly int _wake = LibC.EventFd(0, 0x80000);
    private readonly Thread _thread;
    private volatile bool _isStopped;

    private MappingWatch(List<PerfRecordRing> rings, MappingHistory history, Lock gate)
    {
        (_rings, _history, _gate) = (rings, history, gate);
        _take = (type, misc, body) =>
        {
            if (MapRecord.Read(type, misc, body) is { } record)
                _pending.Add(record);
        };
        _thread = new Thread(Empty) { IsBackground = true, Name = "mappings" };
        _thread.Start();
    }

    /// <summary>Begins to follow.</summary>
    /// <param name="history">Takes what happens, under <paramref name="gate"/>.</param>
    /// <param name="gate">Guards it.</param>
    /// <param name="refusal">Why it cannot.</param>
    public static MappingWatch? TryStart(MappingHistory history, Lock gate, out string? refusal)
    {
        var rings = new List<PerfRecordRing>();
        refusal = null;
        foreach (int cpu in OnlineCpus())
        {
            try
            {
                rings.Add(PerfRecordRing.Open(cpu, RingBytes));
            }
            catch (BpfException cause)
            {
                // It has gone offline since.
                if (cause.Errno == Errno.ENODEV)
                    continue;
                rings.ForEach(static ring => ring.Dispose());
                refusal = cause.Message;
                return null;
            }
        }

        return new MappingWatch(rings, history, gate);
    }

    /// <summary>Applies what has happened up to a time, and a little more. The gate is held.</summary>
    /// <returns>Up to when all is known.</returns>
    public long ReadUpTo(long timeNs)
    {
        long until = Math.Max(timeNs, LibC.NowNs(LibC.ClockMonotonic) - SettleNs);
        foreach (var ring in _rings)
            ring.Read(_take);
        if (_pending.Count == 0)
            return until;
        // Stable: what has one time stays in the order of its CPU.
        var ordered = _pending.OrderBy(static record => record.TimeNs).ToArray();
        _pending.Clear();
        foreach (var record in ordered)
        {
            if (record.TimeNs <= until)
                _history.Apply(record);
            else
                _pending.Add(record);
        }

        return until;
    }

    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        _isStopped = true;
        ulong one = 1;
        _ = LibC.Write(_wake, (byte*)&one, sizeof(ulong));
        _thread.Join();
        _rings.ForEach(static ring => ring.Dispose());
        _ = LibC.Close(_wake);
    }

    private void Empty()
    {
        var waits = new LibC.PollFd[_rings.Count + 1];
        for (int i = 0; i < _rings.Count; i++)
            waits[i] = new() { Fd = _rings[i].Fd, Events = LibC.PollIn };
        waits[^1] = new() { Fd = _wake, Events = LibC.PollIn };
        while (!_isStopped)
        {
            fixed (LibC.PollFd* fds = waits)
                _ = LibC.Poll(fds, (nuint)waits.Length, WaitMs);
            lock (_gate)
                _ = ReadUpTo(long.MinValue);
        }
    }

    // 0-3,6
    private static IEnumerable<int> OnlineCpus()
    {
        foreach (string part in (KernelFile.Text("/sys/devices/system/cpu/online") ?? "0").Split(','))
        {
            int dash = part.IndexOf('-', StringComparison.Ordinal);
            int first = Number(dash < 0 ? part : part[..dash]), last = dash < 0 ? first : Number(part[(dash + 1)..]);
            for (int cpu = first; cpu <= last; cpu++)
                yield return cpu;
        }

        static int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0;
    }
}
