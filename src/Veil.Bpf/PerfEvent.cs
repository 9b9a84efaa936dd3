using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>An event of the perf subsystem (perf_event_open(2)), for a BPF program to be attached to.</summary>
public sealed unsafe class PerfEvent : SafeHandleMinusOneIsInvalid
{
    private const uint TypeSoftware = 1;
    private const ulong FlagCloexec = 8;

    private PerfEvent(int fd, string description)
        : base(ownsHandle: true)
    {
        Description = description;
        SetHandle(fd);
    }

    /// <summary>What it is, for messages.</summary>
    public string Description { get; }

    internal int Fd => (int)handle;

    /// <summary>Opens an event that the kernel itself counts. Each occurrence runs the attached program.</summary>
    /// <param name="software">Which one.</param>
    /// <param name="pid">The one thread to watch; -1 for all that run on <paramref name="cpu"/>.</param>
    /// <param name="cpu">The CPU; -1 for all, with a thread.</param>
    /// <exception cref="BpfException">The kernel refuses it.</exception>
    public static PerfEvent OpenSoftware(PerfSoftwareEvent software, int pid = -1, int cpu = 0)
    {
        var attributes = new LibC.PerfEventAttributes
        {
            Type = TypeSoftware,
            Size = (uint)sizeof(LibC.PerfEventAttributes),
            Config = (ulong)software,
            SamplePeriod = 1,
            WakeupEvents = 1,
        };
        int fd = LibC.PerfEventOpen(&attributes, pid, cpu, -1, FlagCloexec);
        string description = $"perf event {software} on CPU {cpu}";
        return fd >= 0 ? new PerfEvent(fd, description) : throw new BpfException("opening", description, Marshal.GetLastPInvokeError());
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => LibC.Close((int)handle) == 0;
}
