// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>
/// What perf writes down of a CPU about processes, without any sample: code that is mapped, forks, executed programs, ends
/// (PERF_COUNT_SW_DUMMY, perf_event_open(2)). Times are CLOCK_MONOTONIC. One thread reads.
/// </summary>
public sealed unsafe class PerfRecordRing : IDisposable
{
    private const uint PERF_TYPE_SOFTWARE = 1;
    private const ulong PERF_COUNT_SW_DUMMY = 9;
    private const ulong PERF_SAMPLE_TIME = 4;
    private const int CLOCK_MONOTONIC = 1;

    // Bits of struct perf_event_attr (include/uapi/linux/perf_event.h).
    private const ulong Mmap = 1 << 8;
    private const ulong Comm = 1 << 9;
    private const ulong Task = 1 << 13;
    private const ulong Watermark = 1 << 14;
    private const ulong SampleIdAll = 1 << 18;
    private const ulong Mmap2 = 1 << 23;
    private const ulong CommExec = 1 << 24;
    private const ulong UseClockId = 1 << 25;
    private const ulong BuildIdBit = 1UL << 34; // Linux 5.12, commit 88a16a130933

    // struct perf_event_mmap_page
    private const int DataHead = 1024;
    private const int DataTail = 1032;
    private const int RecordHeaderBytes = 8;

    private readonly FileDescriptorHandle _event;
    private readonly MmapHandle _memory;
    private readonly ulong _bytes;
    private readonly byte[] _record = new byte[ushort.MaxValue + 1];

    private PerfRecordRing(FileDescriptorHandle perfEvent, MmapHandle memory, int bytes)
    {
        _event = perfEvent;
        _memory = memory;
        _bytes = (ulong)bytes;
    }

    /// <summary>Takes a record: its type, its <c>misc</c>, and what is behind its header. The last 8 bytes are its time.</summary>
    public delegate void RecordAction(uint type, ushort misc, ReadOnlySpan<byte> body);

    /// <summary>The descriptor, readable once a quarter of the ring is full.</summary>
    public int Fd => (int)_event.DangerousGetHandle();

    /// <summary>Begins to record.</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="bytes">Size of the ring: a power of two, and of pages.</param>
    /// <exception cref="BpfException">The kernel refused: ENODEV for a CPU that is offline, EACCES by
    /// /proc/sys/kernel/perf_event_paranoid, EPERM by the memory that may be locked.</exception>
    public static PerfRecordRing Open(int cpu, int bytes)
    {
        string subject = $"mappings on CPU {cpu}";
        var attributes = new NativeFile.PerfEventAttrWithClock
        {
            First = new()
            {
                Type = PERF_TYPE_SOFTWARE,
                Size = (uint)sizeof(NativeFile.PerfEventAttrWithClock),
                Config = PERF_COUNT_SW_DUMMY,
                SampleType = PERF_SAMPLE_TIME,
                Flags = Mmap | Comm | Task | Watermark | SampleIdAll | Mmap2 | CommExec | UseClockId | BuildIdBit,
                WakeupEvents = (uint)bytes / 4,
            },
            ClockId = CLOCK_MONOTONIC,
        };
        nint fd = Open(&attributes, cpu);
        if (fd < 0 && Marshal.GetLastPInvokeError() == Errno.EINVAL)
        {
            attributes.First.Flags &= ~BuildIdBit;
            fd = Open(&attributes, cpu);
        }

        if (fd < 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            throw new BpfException("opening perf event", subject, errno, BpfErrors.HintForPerfEvent(errno));
        }

        var perfEvent = new FileDescriptorHandle((int)fd);
        try
        {
            var memory = MmapHandle.Map(
                (int)fd, (nuint)(bytes + Environment.SystemPageSize), NativeFile.PROT_READ | NativeFile.PROT_WRITE, 0,
                "mapping perf ring", subject);
            return new PerfRecordRing(perfEvent, memory, bytes);
        }
        catch
        {
            perfEvent.Dispose();
            throw;
        }
    }

    /// <summary>Gives all records that are there, and frees their room. Waits for nobody.</summary>
    public void Read(RecordAction take)
    {
        byte* page = (byte*)_memory.Address;
        byte* data = page + Environment.SystemPageSize;
        ulong head = Volatile.Read(ref *(ulong*)(page + DataHead)), tail = *(ulong*)(page + DataTail);
        while (head - tail >= RecordHeaderBytes)
        {
            // Records are of 8 bytes each time: a header never wraps.
            byte* header = data + (tail & (_bytes - 1));
            int size = *(ushort*)(header + 6);
            if (size < RecordHeaderBytes || (ulong)size > head - tail)
                break;
            ulong at = (tail + RecordHeaderBytes) & (_bytes - 1);
            int body = size - RecordHeaderBytes, first = (int)Math.Min((ulong)body, _bytes - at);
            new ReadOnlySpan<byte>(data + at, first).CopyTo(_record);
            new ReadOnlySpan<byte>(data, body - first).CopyTo(_record.AsSpan(first));
            take(*(uint*)header, *(ushort*)(header + 4), _record.AsSpan(0, body));
            tail += (ulong)size;
        }

        Volatile.Write(ref *(ulong*)(page + DataTail), tail);
    }

    /// <summary>Ends the recording.</summary>
    public void Dispose()
    {
        _memory.Dispose();
        _event.Dispose();
    }

    private static nint Open(NativeFile.PerfEventAttrWithClock* attributes, int cpu) => NativeFile.perf_event_open(
        NativeFile.PerfEventOpenNumber, (NativeFile.PerfEventAttr*)attributes, -1, cpu, -1, (nuint)NativeFile.PERF_FLAG_FD_CLOEXEC);
}
