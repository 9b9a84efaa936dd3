// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;

namespace Veil.Bench.Processes;

/// <summary>What /proc says about a running process.</summary>
internal static class ProcessFacts
{
    private const string RingMapping = "anon_inode:bpf-map";

    /// <summary>CPU time so far, in nanoseconds, of all threads alive (/proc/PID/stat only has ticks of 10 ms).</summary>
    internal static long CpuNs(int pid)
    {
        long sum = 0;
        foreach (string thread in Directory.EnumerateDirectories($"/proc/{pid}/task"))
        {
            // Documentation/scheduler/sched-stats.rst: time on the CPU, time waiting, time slices.
            if (TryRead(Path.Combine(thread, "schedstat")) is { } line)
                sum += long.Parse(line.AsSpan(0, line.IndexOf(' ', StringComparison.Ordinal)), CultureInfo.InvariantCulture);
        }
        return sum;
    }

    internal static int TracerPid(int pid) => (int)StatusNumber(pid, "TracerPid:");

    internal static bool HasPerfEvent(int pid)
    {
        try
        {
            return Directory.EnumerateFiles($"/proc/{pid}/fd")
                .Any(descriptor => File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.Name is "anon_inode:[perf_event]");
        }
        catch (IOException)
        {
            // A descriptor was closed between being listed and being read: it is too early.
            return false;
        }
    }

    /// <summary>The most memory that was resident at once, mapped files and the ring included (VmHWM).</summary>
    internal static long PeakResidentBytes(int pid) => StatusNumber(pid, "VmHWM:") * 1024;

    /// <summary>
    /// What of the peak is the mapped ring: the kernel maps all its pages at mmap, its data twice in a row, and counts them as
    /// file pages of the process.
    /// </summary>
    internal static long RingResidentBytes(int pid)
    {
        long kilobytes = 0;
        bool inRing = false;
        foreach (string line in (TryRead($"/proc/{pid}/smaps") ?? "").Split('\n'))
        {
            if (line.Length > 0 && (char.IsAsciiDigit(line[0]) || line[0] is >= 'a' and <= 'f'))
                inRing = line.EndsWith(RingMapping, StringComparison.Ordinal);
            else if (inRing && line.StartsWith("Rss:", StringComparison.Ordinal))
                kilobytes += Number(line);
        }
        return kilobytes * 1024;
    }

    internal static bool HasRing(int pid) =>
        (TryRead($"/proc/{pid}/maps") ?? "").Contains(RingMapping, StringComparison.Ordinal);

    private static long StatusNumber(int pid, string key)
    {
        foreach (string line in (TryRead($"/proc/{pid}/status") ?? "").Split('\n'))
        {
            if (line.StartsWith(key, StringComparison.Ordinal))
                return Number(line);
        }
        return 0;
    }

    private static long Number(string line) =>
        long.Parse(line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    // A process, or a thread, may end between being listed and being read.
    private static string? TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
