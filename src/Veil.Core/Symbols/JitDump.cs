// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;

namespace Veil.Core.Symbols;

/// <summary>
/// Names of code that a process compiled at run time, by the file that it writes for perf inject (<c>jit-PID.dump</c>,
/// jitdump-specification.txt of the kernel's tools/perf): what was compiled with its time, so that code which has taken the place of other code has its own name, and
/// lines of the source. It grows while the process runs, and may be anything: what is read and kept is bounded.
/// </summary>
/// <param name="file">The file, which is this one's from here on.</param>
internal sealed class JitDump(FileStream file) : IDisposable
{
    private const uint Magic = 0x4a695444; // JiTD
    private const long BytesMax = 1L << 30;
    private const int FunctionsMax = 1 << 18;
    private const int RecordsPerLook = 1 << 20;
    private const int HeadBytes = 16; // of a record: kind, size, time
    private const int NameMax = 1 << 12;
    private const int LinesBytesMax = 1 << 20;
    private const int OverlapsMax = 64;
    private const ulong TimeIsOfTheMachine = 1; // JITDUMP_FLAGS_ARCH_TIMESTAMP

    private readonly List<Function> _functions = [];
    private readonly Dictionary<ulong, Function> _byIndex = [];
    private readonly byte[] _buffer = new byte[1 << 13];
    private long _read;
    private bool _isSorted;
    private bool _hasTimes;
    private bool _isRefused;
    private (ulong Code, long At, int Bytes) _lines;

    /// <summary>The memory that it takes.</summary>
    public long SizeBytes => _buffer.Length + (_functions.Capacity * 72L) + (_byIndex.Count * 96L);

    /// <summary>Is that the path of such a file?</summary>
    public static bool IsNamed(string path)
    {
        const string start = "jit-", end = ".dump";
        var name = path.AsSpan(path.LastIndexOf('/') + 1);
        return path.StartsWith('/') && name.StartsWith(start) && name.EndsWith(end) && name.Length > start.Length + end.Length
            && name[start.Length..^end.Length].IndexOfAnyExceptInRange('0', '9') < 0;
    }

    /// <summary>The function that an address was in: its name, its start, and the line of the source.</summary>
    /// <param name="address">The address.</param>
    /// <param name="timeNs">When, by CLOCK_MONOTONIC.</param>
    /// <param name="withLine">The line is asked for.</param>
    public (string Name, ulong Start, string? Source)? Find(ulong address, long timeNs, bool withLine)
    {
        try
        {
            ReadOn();
            Sort();
            int low = 0, high = _functions.Count;
            while (low < high)
            {
                int middle = (low + high) / 2;
                if (_functions[middle].Start <= address)
                    low = middle + 1;
                else
                    high = middle;
            }

            Function? found = null;
            for (int i = low - 1; i >= 0 && low - i <= OverlapsMax; i--)
            {
                var function = _functions[i];
                if (address - function.Start < function.Bytes && (!_hasTimes || function.TimeNs <= timeNs)
                    && (found is null || function.Number > found.Value.Number))
                    found = function;
            }

            if (found is not { } best)
                return null;
            byte[] name = new byte[NameMax];
            int length = RandomAccess.Read(file.SafeFileHandle, name.AsSpan(0, (int)Math.Min(NameMax, best.NameBytes)), best.NameAt);
            int end = name.AsSpan(0, length).IndexOf((byte)0);
            return end <= 0 ? null : (Encoding.UTF8.GetString(name, 0, end), best.Start, withLine ? LineOf(best, address) : null);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => file.Dispose();

    // What was written since the last time, up to the last whole record.
    private void ReadOn()
    {
        const int headerBytes = 40, loadBytes = 40, moveBytes = 48;
        const uint load = 0, move = 1, lines = 2;
        long end = Math.Min(RandomAccess.GetLength(file.SafeFileHandle), BytesMax);
        if (_read == 0 && end >= headerBytes)
        {
            var header = Read(0, headerBytes);
            uint bytes = U32(header[8..]);
            _isRefused = U32(header) != Magic || bytes < headerBytes || bytes > end;
            _hasTimes = (U64(header[32..]) & TimeIsOfTheMachine) == 0;
            _read = bytes;
        }

        for (int records = 0; records < RecordsPerLook && _functions.Count < FunctionsMax; records++)
        {
            if (_isRefused || _read == 0 || end - _read < HeadBytes)
                return;
            var head = Read(_read, HeadBytes + moveBytes);
            if (head.Length < HeadBytes)
                return;
            uint kind = U32(head), bytes = U32(head[4..]);
            long time = (long)U64(head[8..]);
            // What is no record ends it: no later one can be found.
            if (bytes < HeadBytes)
                _isRefused = true;
            if (_isRefused || bytes > end - _read)
                return;
            var body = head[HeadBytes..Math.Min(head.Length, (int)Math.Min(bytes, int.MaxValue))];
            if (kind == load && body.Length >= loadBytes && bytes > HeadBytes + loadBytes)
            {
                ulong start = U64(body[16..]);
                Add(new(start, U64(body[24..]), time, _read + HeadBytes + loadBytes, bytes - HeadBytes - loadBytes,
                    _lines.Code == start ? _lines.At : 0, _lines.Code == start ? _lines.Bytes : 0, U64(body[32..]), 0));
                _lines = default;
            }
            else if (kind == move && body.Length >= moveBytes)
            {
                // Its lines are those of where it was.
                if (_byIndex.TryGetValue(U64(body[40..]), out var moved))
                    Add(moved with { Start = U64(body[24..]), TimeNs = time, LinesAt = 0 });
            }
            else if (kind == lines && body.Length >= 16)
            {
                _lines = (U64(body), _read + HeadBytes + 16, (int)Math.Min(bytes - HeadBytes - 16, LinesBytesMax));
            }

            _read += bytes;
        }
    }

    private void Add(in Function function)
    {
        if (function.Bytes is 0 or > uint.MaxValue)
            return;
        _functions.Add(function with { Number = _functions.Count });
        _byIndex[function.Index] = function;
        _isSorted = false;
    }

    private void Sort()
    {
        if (_isSorted)
            return;
        _functions.Sort(static (one, other) =>
            one.Start != other.Start ? one.Start.CompareTo(other.Start) : one.Number.CompareTo(other.Number));
        _isSorted = true;
    }

    // Entries: address, line, discriminator, and a name, which is "\xff" where it is that of the entry before.
    private string? LineOf(in Function function, ulong address)
    {
        const int entryBytes = 16;
        if (function.LinesAt == 0)
            return null;
        byte[] entries = new byte[function.LinesBytes];
        var rest = (ReadOnlySpan<byte>)entries.AsSpan(0, RandomAccess.Read(file.SafeFileHandle, entries, function.LinesAt));
        string name = "";
        (string Name, uint Line)? found = null;
        ulong nearest = 0;
        while (rest.Length > entryBytes && rest[entryBytes..].IndexOf((byte)0) is >= 0 and var length)
        {
            var text = rest.Slice(entryBytes, length);
            if (!(length == 1 && text[0] == 0xff))
                name = Encoding.UTF8.GetString(text[..Math.Min(length, NameMax)]);
            ulong at = U64(rest);
            if (at <= address && at >= nearest)
                (found, nearest) = ((name, U32(rest[8..])), at);
            rest = rest[(entryBytes + length + 1)..];
        }

        return found is { Name.Length: > 0 } line ? LineTable.Place(line.Name, line.Line) : null;
    }

    private ReadOnlySpan<byte> Read(long at, int bytes) =>
        _buffer.AsSpan(0, RandomAccess.Read(file.SafeFileHandle, _buffer.AsSpan(0, bytes), at));

    private static ulong U64(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt64LittleEndian(bytes);

    private static uint U32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private readonly record struct Function(
        ulong Start, ulong Bytes, long TimeNs, long NameAt, long NameBytes, long LinesAt, int LinesBytes, ulong Index, int Number);
}
