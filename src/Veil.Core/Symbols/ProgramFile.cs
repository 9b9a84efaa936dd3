// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Core.Interop;
using Veil.Core.Symbols.Names;
using Veil.Core.Unwinding;

namespace Veil.Core.Symbols;

/// <summary>A program or library that processes have mapped, whether it is there still or not; its names, once they are asked
/// for.</summary>
/// <param name="path">Its path, as the kernel tells it.</param>
/// <param name="identity">Device and inode; none where the kernel told the build instead.</param>
/// <param name="buildId">The id of its build; empty where it is not known.</param>
internal sealed class ProgramFile(string path, FileIdentity identity, string buildId) : IDisposable
{
    private const string Deleted = " (deleted)";
    private const int NamesMax = 1 << 13;
    // The processes of a container that has ended lead nowhere, those of one that runs to the same file.
    private const int TriesMax = 8;
    private const int MiniBytesMax = 32 << 20;

    private static readonly Lazy<byte[]?> s_vdso = new(ReadVdso);

    private readonly Dictionary<ulong, (string? Symbol, ulong Start, string? Source)> _names = [];
    private Stream? _stream;
    private Stream? _companion;
    private Stream? _lineFile;
    private LineTable? _lines;
    private ElfFile? _elf;
    private FunctionTable? _functions;
    private readonly Dictionary<ulong, FrameRow?> _rows = [];
    private FrameTable[]? _frames;
    private int _triedPid;
    private int _tries;
    private bool _sawAnother;

    /// <summary>Its path, with <c> (replaced)</c> behind it where another file has that now; null where it is no file.</summary>
    public string? Name { get; private set; } = path.Length > 0 ? Plain(path) : null;

    /// <summary>The path, as the kernel tells it.</summary>
    public string Path => path;

    /// <summary>The id of its build in hexadecimal; empty where it has none or it is not known.</summary>
    public string BuildId { get; private set; } = buildId;

    /// <summary>Is it memory that code was written to, as compilers at run time do?</summary>
    public bool IsAnonymous => path.Length == 0 || path.StartsWith("//", StringComparison.Ordinal)
        || path.StartsWith("/memfd:", StringComparison.Ordinal)
        || path.StartsWith("/dev/zero", StringComparison.Ordinal) || path.StartsWith("[heap", StringComparison.Ordinal)
        || path.StartsWith("[anon", StringComparison.Ordinal) || path.StartsWith("/SYSV", StringComparison.Ordinal);

    /// <summary>The memory that its names take.</summary>
    public long SizeBytes => (_functions?.SizeBytes ?? 0) + (_stream is MemoryStream ? _stream.Length : 0)
        + (_companion is MemoryStream ? _companion.Length : 0) + (_lines?.SizeBytes ?? 0) + (_names.Count * 160L)
        + (_frames?.Sum(static table => table.SizeBytes) ?? 0) + ((long)_rows.Count * FrameRow.SizeBytes(FrameRegisters.Own.Count));

    /// <summary>Is it open, and are there no lines of the source for it?</summary>
    public bool LacksLines => _elf is not null && _lines is null && !IsVdso;

    /// <summary>When it was asked for, in turns of its owner.</summary>
    public long UsedAt { get; set; }

    /// <summary>Is it open, or of no use to try that by this process?</summary>
    public bool IsSettled(int pid) => _stream is not null || _triedPid == pid || _tries == TriesMax;

    private bool IsVdso => path == "[vdso]";

    private string PlainPath => Plain(path);

    /// <summary>The function at a place of the file.</summary>
    /// <param name="offset">The place.</param>
    /// <param name="mapping">A mapping of it that has the place.</param>
    /// <param name="pids">Processes to look in for the file: the one that mapped it, and its parents; none to look no more.</param>
    /// <param name="access">What opens files.</param>
    /// <param name="withLines">Lines of the source are asked for.</param>
    /// <returns>Its name, where in the file it starts, and the line of the source.</returns>
    public (string? Symbol, ulong Start, string? Source) Find(
        ulong offset, Mapping mapping, ReadOnlySpan<int> pids, SymbolAccess access, bool withLines)
    {
        if (pids.Length > 0)
        {
            _names.Clear();
            Open(mapping, pids, access, withLines);
        }

        if (_names.TryGetValue(offset, out var known))
            return known;
        if (_names.Count >= NamesMax)
            _names.Clear();
        (string? Symbol, ulong Start, string? Source) found = default;
        if (_elf is { } elf && _functions is { } functions && elf.AddressOf(offset) is { } address)
        {
            try
            {
                if (functions.Find(address) is { } function && elf.FunctionNameAt(function.Name) is { Length: > 0 } name)
                    (found.Symbol, found.Start) = (Readable(name), offset - (address - function.Start));
                found.Source = _lines?.Find(address);
            }
            catch (ElfException)
            {
                // It was cut or written to since: as good as none.
            }
        }

        _names.Add(offset, found);
        return found;
    }

    /// <summary>Are its frame tables in memory?</summary>
    public bool HasFrames => _frames is not null;

    /// <summary>How to get from a place of the file to the caller of its function; nothing where no table says it.</summary>
    /// <inheritdoc cref="Find"/>
    public FrameRow? FindRow(ulong offset, Mapping mapping, ReadOnlySpan<int> pids, SymbolAccess access, bool withLines)
    {
        if (pids.Length > 0)
        {
            _rows.Clear();
            Open(mapping, pids, access, withLines);
        }

        if (_rows.TryGetValue(offset, out var row))
            return row;
        if (_rows.Count >= NamesMax)
            _rows.Clear();
        try
        {
            if (_elf is { } elf && elf.AddressOf(offset) is { } address)
                row = Array.ConvertAll(_frames ??= elf.ReadFrames(), table => table.Find(address)).FirstOrDefault(static found => found is not null);
        }
        catch (ElfException)
        {
            _frames = [];
        }

        _rows.Add(offset, row);
        return row;
    }

    /// <summary>Closes it and forgets its names; they are read again when one is asked for.</summary>
    public void Dispose()
    {
        _stream?.Dispose();
        _companion?.Dispose();
        _lineFile?.Dispose();
        (_stream, _companion, _lineFile, _lines, _elf, _functions, _frames, _triedPid, _tries) = (null, null, null, null, null, null, null, 0, 0);
        _names.Clear();
        _rows.Clear();
    }

    private static string Plain(string path) => path.EndsWith(Deleted, StringComparison.Ordinal) ? path[..^Deleted.Length] : path;

    private static string Readable(string symbol) => symbol.EndsWith(ElfFile.PltMark, StringComparison.Ordinal)
        ? Readable(symbol[..^ElfFile.PltMark.Length]) + ElfFile.PltMark
        : symbol.StartsWith('_') && symbol.Length <= FunctionName.SymbolMax && FunctionName.Read(symbol) is { } name ? name.Full : symbol;

    private void Open(Mapping mapping, ReadOnlySpan<int> pids, SymbolAccess access, bool withLines)
    {
        _triedPid = pids[0];
        _tries++;
        if (IsVdso)
        {
            // That of 32-bit programs is another one.
            if (mapping.Start >> 32 != 0 && s_vdso.Value is { } vdso)
                _ = TryUse(new MemoryStream(vdso, writable: false), isExact: true, null, access, withLines: false);
            return;
        }

        if (!path.StartsWith('/') || IsAnonymous)
            return;
        if (access.OpenMapped(pids[0], mapping.Start, mapping.End) is { } mapped)
        {
            if (TryUse(mapped, isExact: false, pids[0], access, withLines))
                return;
            mapped.Dispose();
        }

        foreach (int pid in (ReadOnlySpan<int>)[.. pids, 0])
        {
            if (access.OpenProgram(pid, PlainPath) is not { } stream)
                continue;
            if (TryUse(stream, isExact: false, pid, access, withLines))
                return;
            stream.Dispose();
        }

        if (_sawAnother)
            Name = PlainPath + " (replaced)";
    }

    /// <summary>Takes names from a file, if it is this very one.</summary>
    private bool TryUse(Stream stream, bool isExact, int? pid, SymbolAccess access, bool withLines)
    {
        try
        {
            var elf = new ElfFile(stream, RuntimeInformation.OSArchitecture);
            string id = elf.BuildId;
            if (!isExact && !(BuildId.Length > 0 ? id == BuildId : IsSame(stream)))
            {
                _sawAnother = true;
                return false;
            }

            BuildId = id;
            if (!elf.HasSymbols)
                AddSymbols(elf, id, pid, access);
            _functions = elf.ReadFunctions();
            if (withLines)
                AddLines(elf, id, pid, access);
            (_stream, _elf, Name) = (stream, elf, PlainPath);
            return true;
        }
        catch (ElfException)
        {
            return false;
        }
    }

    // Some file systems (overlayfs, btrfs) tell stat(2) a device of their own, which has no major number.
    private bool IsSame(Stream stream) => stream is FileStream file && FileIdentity.Of(file.SafeFileHandle) is var other
        && other.Inode == identity.Inode && identity.Inode != 0
        && ((other.Major, other.Minor) == (identity.Major, identity.Minor) || (other.Major == 0 && identity.Major == 0));

    private void AddSymbols(ElfFile elf, string id, int? pid, SymbolAccess access)
    {
        foreach (string candidate in SymbolFile.PlacesOf(elf, PlainPath))
        {
            foreach (int root in (ReadOnlySpan<int>)(pid is > 0 and var own ? [own, 0] : [0]))
            {
                if (access.OpenProgram(root, candidate) is { } stream && !TryAdd(elf, stream, file => Fits(elf, file, id)))
                    stream.Dispose();
                if (elf.Companion is not null)
                    return;
            }
        }

        if (elf.ReadMiniDebugInfo() is { } packed && LibLzma.TryDecompress(packed, MiniBytesMax) is { } unpacked)
            _ = TryAdd(elf, new MemoryStream(unpacked, writable: false), static _ => true);
    }

    // Of itself, of the file with its symbols, or of one that was not needed for those.
    private void AddLines(ElfFile elf, string id, int? pid, SymbolAccess access)
    {
        if (elf.HasLines || elf.Companion is { HasLines: true })
        {
            _lines = LineTable.Read(elf.HasLines ? elf : elf.Companion!);
            return;
        }

        foreach (string candidate in SymbolFile.PlacesOf(elf, PlainPath))
        {
            foreach (int root in (ReadOnlySpan<int>)(pid is > 0 and var own ? [own, 0] : [0]))
            {
                if (access.OpenProgram(root, candidate) is not { } stream)
                    continue;
                try
                {
                    var file = new ElfFile(stream, RuntimeInformation.OSArchitecture, isCompanion: true);
                    if (file.HasLines && Fits(elf, file, id) && LineTable.Read(file) is { } lines)
                    {
                        (_lines, _lineFile) = (lines, stream);
                        return;
                    }
                }
                catch (ElfException)
                {
                    // As good as none.
                }

                stream.Dispose();
            }
        }
    }

    private static bool Fits(ElfFile elf, ElfFile file, string id) =>
        id.Length > 0 && file.BuildId.Length > 0 ? file.BuildId == id : elf.DebugLink is { } link && file.Crc() == link.Crc;

    private bool TryAdd(ElfFile elf, Stream stream, Func<ElfFile, bool> fits)
    {
        try
        {
            var file = new ElfFile(stream, RuntimeInformation.OSArchitecture, isCompanion: true);
            if (!file.HasSymbols || !fits(file))
                return false;
            (elf.Companion, _companion) = (file, stream);
            return true;
        }
        catch (ElfException)
        {
            return false;
        }
    }

    // Ours is that of all 64-bit programs of this kernel.
    private static unsafe byte[]? ReadVdso()
    {
        const int bytesMax = 1 << 20;
        try
        {
            foreach (string line in File.ReadLines("/proc/self/maps"))
            {
                if (line.EndsWith("[vdso]", StringComparison.Ordinal) && MapsLine.Parse(line) is { } range
                    && range.End - range.Start <= bytesMax)
                    return new ReadOnlySpan<byte>((void*)range.Start, (int)(range.End - range.Start)).ToArray();
            }
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            // No names of it then.
        }

        return null;
    }
}
