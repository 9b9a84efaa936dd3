// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>A perf event (perf_event_open(2)), not running until a program is attached. Closed when disposed.</summary>
public sealed unsafe class PerfEventHandle : SafeHandleMinusOneIsInvalid
{
    private const uint PERF_TYPE_SOFTWARE = 1;
    private const ulong Disabled = 1;
    private const ulong Frequency = 1 << 10; // attr.freq: sample_period is sample_freq

    private PerfEventHandle(int fd)
        : base(ownsHandle: true) => SetHandle(fd);

    /// <summary>Opens a software event.</summary>
    /// <param name="kind">What to count.</param>
    /// <param name="cpu">The CPU; -1 for any, which needs a <paramref name="pid"/>.</param>
    /// <param name="pid">The thread to follow; -1 for all threads, which needs a <paramref name="cpu"/>.</param>
    /// <param name="samplePeriod">The program runs at every so many occurrences; at least 1.</param>
    /// <exception cref="ArgumentException">Neither a CPU nor a thread is given.</exception>
    /// <exception cref="BpfException">The kernel refused: ENODEV for a CPU that is offline, EACCES by
    /// /proc/sys/kernel/perf_event_paranoid.</exception>
    public static PerfEventHandle OpenSoftware(PerfSoftwareEvent kind, int cpu, int pid = -1, ulong samplePeriod = 1)
    {
        if (cpu < 0 && pid < 0)
            throw new ArgumentException("A perf event needs a CPU, a thread, or both.", nameof(cpu));
        ArgumentOutOfRangeException.ThrowIfZero(samplePeriod);
        return Open(kind, cpu, pid, samplePeriod, flags: 0);
    }

    /// <summary>Opens the clock of a CPU as an event that occurs so many times a second, whatever runs there.</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="hertz">How often: at least 1, at most /proc/sys/kernel/perf_event_max_sample_rate.</param>
    /// <exception cref="BpfException">The kernel refused: ENODEV for a CPU that is offline, EINVAL for a rate above that, EACCES by
    /// /proc/sys/kernel/perf_event_paranoid.</exception>
    public static PerfEventHandle OpenClock(int cpu, uint hertz)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(cpu);
        ArgumentOutOfRangeException.ThrowIfZero(hertz);
        return Open(PerfSoftwareEvent.CpuClock, cpu, -1, hertz, Frequency);
    }

    /// <summary>Opens the clock of every CPU that is there; possible ones that are offline have none.</summary>
    /// <param name="hertz">How often, as of <see cref="OpenClock"/>.</param>
    /// <returns>The clocks, each opened as it is asked for; the caller disposes of them.</returns>
    /// <exception cref="BpfException">The kernel refused, as for <see cref="OpenClock"/>.</exception>
    public static IEnumerable<PerfEventHandle> OpenClocks(uint hertz)
    {
        for (int cpu = 0; cpu < KernelFeatures.PossibleCpuCount; cpu++)
        {
            PerfEventHandle? clock = null;
            try
            {
                clock = OpenClock(cpu, hertz);
            }
            catch (BpfException cause) when (cause.Errno == Errno.ENODEV)
            {
            }

            if (clock is not null)
                yield return clock;
        }
    }

    private static PerfEventHandle Open(PerfSoftwareEvent kind, int cpu, int pid, ulong periodOrFrequency, ulong flags)
    {
        var attributes = new NativeFile.PerfEventAttr
        {
            Type = PERF_TYPE_SOFTWARE,
            Size = (uint)sizeof(NativeFile.PerfEventAttr),
            Config = (ulong)kind,
            SamplePeriod = periodOrFrequency,
            Flags = Disabled | flags,
        };
        nint fd =
            NativeFile.perf_event_open(NativeFile.PerfEventOpenNumber, &attributes, pid, cpu, -1, (nuint)NativeFile.PERF_FLAG_FD_CLOEXEC);
        if (fd >= 0)
            return new PerfEventHandle((int)fd);
        string subject = cpu < 0 ? $"{kind} of thread {pid}" : $"{kind} on CPU {cpu}";
        int errno = Marshal.GetLastPInvokeError();
        throw new BpfException("opening perf event", subject, errno, BpfErrors.HintForPerfEvent(errno));
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => NativeFile.close((int)handle) == 0;
}
