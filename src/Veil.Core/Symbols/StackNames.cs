// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Core.Interop;
using Veil.Core.Unwinding;

namespace Veil.Core.Symbols;

/// <summary>
/// Names of addresses in the kernel and in processes, also in those that have ended. A session makes one before it drops its privileges
/// (<see cref="Start"/>), gives it to what shows stacks, and disposes of it when all is shown.
/// </summary>
/// <remarks>
/// Memory is bounded: functions of files that were not asked for the longest go first, when all take more than 48 MiB. Nothing that a
/// process or a file does makes a name wrong while its mappings are followed (<see cref="Refusal"/>); where something is not certain there is
/// none.
/// </remarks>
public sealed class StackNames : IStackNames, IDisposable
{
    private const long FilesBytesMax = 48 << 20;
    private const int FilesOpenMax = 256;
    private const int ShrinkEvery = 4096;
    private const int KernelNamesMax = 1 << 15;
    private const int JitMapsMax = 64;
    private const long JitBytesMax = 24 << 20;
    private const int LinesMax = 1 << 16;

    private readonly Lock _gate = new();
    private readonly MappingHistory _history = new();
    private readonly SymbolAccess _access;
    private readonly KernelSymbols _kernel;
    private readonly Dictionary<ulong, (string Name, ulong Start, string Module)?> _kernelNames = [];
    private readonly Dictionary<int, CompiledNames> _compiled = [];
    private readonly HashSet<ProgramFile> _open = [];
    private readonly MappingWatch? _watch;
    private long _turn;
    private readonly Dictionary<int, long> _asked = [];
    private long _readUpToNs = long.MinValue;

    private readonly Action<string>? _noLines;
    private readonly bool _asksJit;
    private bool _saidNoLines;

    private StackNames(ISymbolOpener? root, bool kernel, bool processes, Action<string>? noLines, bool asksJit)
    {
        (_noLines, _asksJit) = (noLines, asksJit);
        _access = new SymbolAccess(root);
        _kernel = kernel ? KernelSymbols.Read() : KernelSymbols.Parse([]);
        if (processes && !PidNamespace.IsInitial)
            Refusal = "this is a PID namespace of its own: processes are numbered differently here";
        else if (processes)
        {
            _watch = MappingWatch.TryStart(_history, _gate, out string? refusal);
            Refusal = refusal;
        }
    }

    /// <summary>
    /// Why mappings cannot be followed; null where they are. Then processes are named by <c>/proc/PID/maps</c> as they are looked at: one
    /// that has ended by then has no names, and neither has what it had unmapped.
    /// </summary>
    public string? Refusal { get; }

    /// <summary>Records of mappings that the kernel had to drop; names may be missing since.</summary>
    public long LostMappings
    {
        get
        {
            lock (_gate)
                return _history.Lost;
        }
    }

    /// <summary>Does the kernel keep its addresses from us (<c>kernel.kptr_restrict</c>)? Then none of them has a name.</summary>
    public bool HidesKernel => _kernel.IsEmpty;

    /// <summary>
    /// Begins: reads the kernel's names, follows from now on what processes map, and looks at what those that run have mapped. Needs root,
    /// or CAP_PERFMON (mappings), CAP_SYSLOG (the kernel's addresses) and CAP_SYS_PTRACE (others' processes); without them there are fewer
    /// names. Before privileges are dropped.
    /// </summary>
    /// <param name="root">The helper process, started with <c>namesStacks</c>; without it names are found with our own rights
    /// alone.</param>
    /// <param name="kernel">Addresses in the kernel are asked for.</param>
    /// <param name="processes">Addresses in processes are asked for.</param>
    /// <param name="pids">The processes that the trace is about; null for all.</param>
    /// <param name="noLines">Lines of the source are asked for: takes the path of the first file that has none. Null: they are
    /// not.</param>
    /// <param name="asksJit">A .NET process whose compiled code has no names yet is asked to write them down.</param>
    public static StackNames Start(
        ISymbolOpener? root, bool kernel = true, bool processes = true, IEnumerable<int>? pids = null, Action<string>? noLines = null,
        bool asksJit = false)
    {
        var names = new StackNames(root, kernel, processes, noLines, asksJit);
        if (!processes || !PidNamespace.IsInitial)
            return names;
        foreach (int pid in (pids ?? AllProcesses()).Take(MappingHistory.ProcessesMax / 2))
            names.Look(pid);
        return names;
    }

    /// <summary>
    /// Has a thread take the records of mappings before the kernel runs out of room for them. The session calls it right after it has dropped
    /// its privileges: a thread that was there before would keep what it has. The first question calls it too.
    /// </summary>
    public void BeginReading() => _watch?.Begin();

    /// <inheritdoc/>
    public StackFrame Kernel(ulong address, bool isReturn)
    {
        ulong at = isReturn ? address - 1 : address;
        lock (_gate)
        {
            if (!_kernelNames.TryGetValue(at, out var found))
            {
                if (_kernelNames.Count >= KernelNamesMax)
                    _kernelNames.Clear();
                _kernelNames.Add(at, found = _kernel.Find(at));
            }

            return found is { } function
                ? new(address, function.Name, address - function.Start, function.Module, null, null)
                : new(address, null, 0, null, null, null);
        }
    }

    /// <inheritdoc/>
    public StackFrame User(int pid, ulong address, long timeNs, bool isReturn)
    {
        ulong at = isReturn && address > 0 ? address - 1 : address;
        _watch?.Begin();
        lock (_gate)
        {
            if (Locate(pid, at, timeNs) is not { } mapping)
                return new(address, null, 0, null, null, null);
            var file = mapping.File;
            if (file.IsAnonymous)
                return Jit(pid, address, at, timeNs);
            ulong offset = at - mapping.Start + mapping.Offset;
            var (symbol, start, source) = file.Find(offset, mapping, Use(file, pid), _access, _noLines is not null);
            if (!_saidNoLines && _noLines is not null && file is { LacksLines: true, Name: { } path })
            {
                _saidNoLines = true;
                _noLines(path);
            }

            ShrinkBeside(file);
            ulong shown = address - mapping.Start + mapping.Offset;
            return new(
                address, symbol, symbol is null ? shown : shown - start, file.Name, file.BuildId.Length > 0 ? file.BuildId : null, source);
        }
    }

    /// <summary>How to get from a place in the code of a process to the caller of its function.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="address">The place.</param>
    /// <param name="timeNs">When it was so, by CLOCK_MONOTONIC.</param>
    /// <param name="row">The way; none: no table of a file has it.</param>
    /// <returns>False where no code is known to be.</returns>
    internal bool TryFindFrame(int pid, ulong address, long timeNs, out FrameRow? row)
    {
        row = null;
        _watch?.Begin();
        lock (_gate)
        {
            if (Locate(pid, address, timeNs) is not { } mapping)
                return false;
            if (mapping.File is not { IsAnonymous: false } file)
                return true;
            bool isRead = file.HasFrames;
            row = file.FindRow(address - mapping.Start + mapping.Offset, mapping, Use(file, pid), _access, _noLines is not null);
            ShrinkBeside(file, hasGrown: file.HasFrames != isRead);
            return true;
        }
    }

    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        _watch?.Dispose();
        foreach (var file in _history.Files)
            file.Dispose();
        foreach (var file in _open)
            file.Dispose();
        foreach (var names in _compiled.Values)
            names.Dispose();
    }

    private Mapping? Locate(int pid, ulong at, long timeNs)
    {
        if (_watch is not null && timeNs > _readUpToNs)
            _readUpToNs = _watch.ReadUpTo(timeNs);
        if (PidNamespace.IsInitial && (_watch is null || _history.Needs(pid, timeNs)) && IsFresh(pid))
            Look(pid);
        return _history.Find(pid, at, timeNs);
    }

    // The processes to open a file by; none where that was tried.
    private int[] Use(ProgramFile file, int pid)
    {
        file.UsedAt = ++_turn;
        return file.IsSettled(pid) ? [] : _history.Family(pid);
    }

    private void ShrinkBeside(ProgramFile file, bool hasGrown = false)
    {
        if (_open.Add(file) || hasGrown || _turn % ShrinkEvery == 0)
            Shrink(file);
    }

    // A process that cannot be looked at is not asked about for each frame.
    private bool IsFresh(int pid)
    {
        const long againMs = 1_000;
        const int most = 4096;
        long now = Environment.TickCount64;
        if (_asked.TryGetValue(pid, out long last) && now - last < againMs)
            return false;
        if (_asked.Count >= most)
            _asked.Clear();
        _asked[pid] = now;
        return true;
    }

    private void Look(int pid)
    {
        if (_access.OpenMaps(pid) is not { } maps)
            return;
        var lines = new List<MapsLine>();
        long now;
        try
        {
            using var reader = new StreamReader(maps, bufferSize: 1 << 14);
            while (lines.Count < LinesMax && reader.ReadLine() is { } line)
            {
                if (MapsLine.Parse(line) is { } mapped)
                    lines.Add(mapped);
            }

            now = LibC.NowNs(LibC.ClockMonotonic);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return;
        }

        // None: a kernel thread, or one that is ending.
        if (lines.Count == 0)
            return;
        lock (_gate)
        {
            // Another program may have been started in it before it was read: what has happened is known first.
            if (_watch is null)
                _history.Forget(pid);
            else
                _ = _watch.ReadUpTo(now);
            _history.Learn(pid, now, lines);
        }
    }

    private StackFrame Jit(int pid, ulong address, ulong at, long timeNs)
    {
        if (CompiledBy(pid, timeNs) is not { } names)
            return new(address, null, 0, null, null, null);
        if (names.Dump?.Find(at, timeNs, _noLines is not null) is { } compiled)
            return new(address, compiled.Name, address - compiled.Start, "[jit]", null, compiled.Source);
        var found = names.Map?.Find(at);
        // What it has compiled is written down once it has answered.
        if (found is null && _asksJit && !names.WasAsked)
        {
            names.WasAsked = true;
            if (_access.AskForJitMap(pid) && _access.OpenJitMap(pid) is { } file)
            {
                names.Map?.Dispose();
                names.Map = new JitMap(file);
                found = names.Map.Find(at);
            }
        }

        return found is { } function
            ? new(address, function.Name, address - function.Start, "[jit]", null, null)
            : new(address, null, 0, null, null, null);
    }

    // What belongs to the process as it is now. A stack from before an exec has no names of that kind, but where they were read before.
    private CompiledNames? CompiledBy(int pid, long timeNs)
    {
        const long againMs = 1_000;
        var (image, isCurrent) = _history.ImageOf(pid, timeNs);
        bool isKnown = _compiled.TryGetValue(pid, out var names) && (_watch is null || names.Image == image);
        if (!isKnown && !isCurrent)
            return null;
        if (!isKnown)
        {
            if (_compiled.Count >= JitMapsMax || _compiled.Values.Sum(static other => other.SizeBytes) > JitBytesMax)
            {
                foreach (var old in _compiled.Values)
                    old.Dispose();
                _compiled.Clear();
            }

            names?.Dispose();
            _compiled[pid] = names = new CompiledNames { Image = image };
        }

        if ((names!.Map is null || names.Dump is null) && Environment.TickCount64 >= names.AgainMs)
        {
            names.AgainMs = Environment.TickCount64 + againMs;
            names.Map ??= _access.OpenJitMap(pid) is { } map ? new JitMap(map) : null;
            names.Dump ??= image?.JitDumpPath is { } path && _access.OpenJitDump(pid, path) is { } dump ? new JitDump(dump) : null;
        }

        return names;
    }

    private void Shrink(ProgramFile used)
    {
        long bytes = _open.Sum(static other => other.SizeBytes);
        if (_open.Count <= FilesOpenMax && bytes <= FilesBytesMax)
            return;
        foreach (var oldest in _open.OrderBy(static other => other.UsedAt).ToArray())
        {
            if (_open.Count <= FilesOpenMax / 2 && bytes <= FilesBytesMax / 2)
                break;
            if (oldest == used)
                continue;
            bytes -= oldest.SizeBytes;
            oldest.Dispose();
            _open.Remove(oldest);
        }
    }

    private static IEnumerable<int> AllProcesses()
    {
        foreach (string name in Veil.Bpf.Interop.KernelFile.Folders("/proc"))
        {
            if (int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && pid != Environment.ProcessId)
                yield return pid;
        }
    }

    private sealed class CompiledNames : IDisposable
    {
        public ProcessImage? Image { get; init; }

        public JitMap? Map { get; set; }

        public JitDump? Dump { get; set; }

        public bool WasAsked { get; set; }

        public long AgainMs { get; set; }

        public long SizeBytes => (Map?.SizeBytes ?? 0) + (Dump?.SizeBytes ?? 0);

        public void Dispose()
        {
            Map?.Dispose();
            Dump?.Dispose();
        }
    }
}
