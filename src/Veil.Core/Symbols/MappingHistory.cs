// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Core.Symbols;

/// <summary>
/// What processes have mapped and when, also those that have ended. Where it is not known for certain it tells nothing. Bounded: of ended
/// processes the first to have ended are forgotten first.
/// </summary>
internal sealed class MappingHistory
{
    /// <summary>The most processes that are known.</summary>
    internal const int ProcessesMax = 1 << 14;

    /// <summary>The most mappings that are kept; each takes some 70 bytes.</summary>
    internal const int MappingsMax = 1 << 17;

    private const int FilesMax = 1 << 14;
    private const int ParentsMax = 3;
    private const int CountEvery = 1 << 12;

    private readonly Dictionary<int, ProcessHistory> _processes = [];
    private readonly Queue<(int Pid, ProcessHistory Process)> _ended = new();
    private readonly Dictionary<(string Path, FileIdentity File, string BuildId), ProgramFile> _files = [];
    private long _lostAtNs = long.MinValue;
    private int _changes;

    /// <summary>Records that perf had to drop.</summary>
    public long Lost { get; private set; }

    /// <summary>All files that were mapped, of the processes that are known.</summary>
    public IEnumerable<ProgramFile> Files => _files.Values;

    /// <summary>How many processes are known.</summary>
    public int Count => _processes.Count;

    /// <summary>Takes what happened. Records of a process come in order.</summary>
    public void Apply(in MapRecord record)
    {
        switch (record.Kind)
        {
            case MapRecordKind.Map:
                var mapping =
                    new Mapping(record.Start, record.End, record.Offset, record.TimeNs, FileOf(record.Path, record.File, record.BuildId));
                var process = Known(record.Pid);
                if (process.Current is null)
                    process.Images.Add(new ProcessImage(long.MinValue, isWhole: false));
                process.Current!.Add(mapping);
                break;
            case MapRecordKind.Exec:
                Known(record.Pid).Images.Add(new ProcessImage(record.TimeNs, isWhole: true));
                break;
            case MapRecordKind.Fork:
                Fork(record);
                break;
            case MapRecordKind.Exit when _processes.TryGetValue(record.Pid, out var ending):
                ending.HasEnded = true;
                _ended.Enqueue((record.Pid, ending));
                break;
            case MapRecordKind.Lost:
                Lost += (long)record.Offset;
                _lostAtNs = Math.Max(_lostAtNs, record.TimeNs);
                break;
        }

        if (_processes.Count > ProcessesMax || ++_changes % CountEvery == 0)
            Shrink();
    }

    /// <summary>Takes what <c>/proc/PID/maps</c> says now, if that is not known already.</summary>
    public void Learn(int pid, long nowNs, IEnumerable<MapsLine> lines)
    {
        var process = Known(pid);
        long from = long.MinValue;
        if (process.Current is { } last)
        {
            if (!IsLost(last, nowNs))
            {
                if (!last.IsWhole)
                    last.Complete(lines.Select(line => MappingOf(line, last.StartNs)));
                return;
            }

            // What it was before the loss stays; what came in between is not known.
            from = nowNs;
        }

        var image = new ProcessImage(from, isWhole: true);
        foreach (var line in lines)
            image.Add(MappingOf(line, from));
        process.Images.Add(image);
    }

    /// <summary>Forgets a process.</summary>
    public void Forget(int pid) => _processes.Remove(pid);

    /// <summary>Must <c>/proc/PID/maps</c> be read to know what a process has mapped?</summary>
    public bool Needs(int pid, long timeNs)
    {
        if (!_processes.TryGetValue(pid, out var process) || process.Current is null)
            return true;
        return !process.HasEnded && (ImageAt(process, timeNs) is not { IsWhole: true } image || IsLost(image, timeNs));
    }

    /// <summary>What an address of a process belonged to at a time; nothing where that is not known.</summary>
    public Mapping? Find(int pid, ulong address, long timeNs) =>
        _processes.TryGetValue(pid, out var process) && ImageAt(process, timeNs) is { } image && !IsLost(image, timeNs)
            ? image.Find(address, timeNs) : null;

    /// <summary>What a process was at a time, and whether that is what it is now; nothing where it is not known.</summary>
    public (ProcessImage? Image, bool IsCurrent) ImageOf(int pid, long timeNs) =>
        _processes.TryGetValue(pid, out var process) && ImageAt(process, timeNs) is { } image
            ? (image, image == process.Current) : (null, false);

    /// <summary>A process and those that made it, the nearest first.</summary>
    public int[] Family(int pid)
    {
        var family = new List<int> { pid };
        while (family.Count <= ParentsMax && _processes.TryGetValue(family[^1], out var process) && process.ParentPid > 0)
            family.Add(process.ParentPid);
        return [.. family];
    }

    private static ProcessImage? ImageAt(ProcessHistory process, long timeNs)
    {
        for (int i = process.Images.Count - 1; i >= 0; i--)
        {
            if (process.Images[i].StartNs <= timeNs)
                return process.Images[i];
        }

        return null;
    }

    private bool IsLost(ProcessImage image, long timeNs) => image.StartNs < _lostAtNs && _lostAtNs <= timeNs;

    private void Fork(in MapRecord record)
    {
        var parent = Known(record.ParentPid);
        if (parent.Current is null)
            parent.Images.Add(new ProcessImage(long.MinValue, isWhole: false));
        // A number that is given again is another process; what it was before stays known for the times before.
        var child = Known(record.Pid);
        (child.ParentPid, child.HasEnded) = (record.ParentPid, false);
        child.Images.Add(parent.Current!.Fork(record.TimeNs));
    }

    private ProcessHistory Known(int pid)
    {
        ref var process = ref CollectionsMarshal.GetValueRefOrAddDefault(_processes, pid, out _);
        return process ??= new ProcessHistory();
    }

    private Mapping MappingOf(in MapsLine line, long timeNs) =>
        new(line.Start, line.End, line.Offset, timeNs, FileOf(line.Path, line.Identity, ""));

    private ProgramFile FileOf(string path, FileIdentity identity, string buildId)
    {
        if (_files.Count >= FilesMax)
            ForgetFiles();
        ref var file = ref CollectionsMarshal.GetValueRefOrAddDefault(_files, (path, identity, buildId), out _);
        return file ??= new ProgramFile(path, identity, buildId);
    }

    // Mappings that have them still open them again.
    private void ForgetFiles()
    {
        foreach (var file in _files.Values)
            file.Dispose();
        _files.Clear();
    }

    private void Shrink()
    {
        int mappings = _processes.Values.Sum(static process => process.Images.Sum(static image => image.Kept));
        while ((_processes.Count > ProcessesMax || mappings > MappingsMax) && _ended.TryDequeue(out var ended))
        {
            // It may have been given again since.
            if (_processes.TryGetValue(ended.Pid, out var process) && process == ended.Process && process.HasEnded)
            {
                mappings -= process.Images.Sum(static image => image.Kept);
                _processes.Remove(ended.Pid);
            }
        }

        // Living ones are read again from /proc when they are asked for.
        if (_processes.Count > ProcessesMax || mappings > MappingsMax)
            _processes.Clear();
    }

    private sealed class ProcessHistory
    {
        public List<ProcessImage> Images { get; } = [];

        public ProcessImage? Current => Images.Count > 0 ? Images[^1] : null;

        public int ParentPid { get; set; }

        public bool HasEnded { get; set; }
    }
}
