// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;

namespace Veil.Core.Symbols;

/// <summary>
/// Names of code that a process compiled at run time, by the file that it writes for perf: a line <c>START SIZE NAME</c> for each function,
/// in hexadecimal. It grows while the process runs; a later line takes the place of an earlier one. The file may be anything: what is read
/// and kept is bounded.
/// </summary>
/// <param name="file">The file, which is this one's from here on.</param>
internal sealed class JitMap(FileStream file) : IDisposable
{
    /// <summary>The most of a file that is read.</summary>
    internal const long BytesMax = 256 << 20;

    /// <summary>The most functions that are known.</summary>
    internal const int FunctionsMax = 1 << 18;

    private const int LineMax = 1 << 14;
    private const int NameMax = 1 << 12;

    private readonly List<Function> _functions = [];
    private readonly byte[] _buffer = new byte[LineMax];
    private long _read;
    private bool _isSorted;
    private uint _number;

    /// <summary>The memory that it takes.</summary>
    public long SizeBytes => LineMax + (_functions.Capacity * 32L);

    /// <summary>The function that an address is in: its name and its start.</summary>
    public (string Name, ulong Start)? Find(ulong address)
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

            if (low == 0 || address - _functions[low - 1].Start >= _functions[low - 1].Bytes)
                return null;
            var found = _functions[low - 1];
            byte[] name = new byte[found.NameBytes];
            int length = RandomAccess.Read(file.SafeFileHandle, name, found.NameAt);
            return length == 0 ? null : (Encoding.UTF8.GetString(name, 0, length), found.Start);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => file.Dispose();

    // What was written since the last time, up to the last whole line.
    private void ReadOn()
    {
        long end = Math.Min(RandomAccess.GetLength(file.SafeFileHandle), BytesMax);
        while (_read < end && _functions.Count < FunctionsMax)
        {
            int length = RandomAccess.Read(file.SafeFileHandle, _buffer, _read);
            int lines = length <= 0 ? -1 : _buffer.AsSpan(0, length).LastIndexOf((byte)'\n');
            if (lines < 0)
            {
                // A line that long is none; one that is not ended yet comes later.
                if (length < LineMax)
                    return;
                _read += length;
                continue;
            }

            for (int at = 0; at <= lines && _functions.Count < FunctionsMax;)
            {
                int next = _buffer.AsSpan(at).IndexOf((byte)'\n');
                Add(_buffer.AsSpan(at, next), _read + at);
                at += next + 1;
            }

            _read += lines + 1;
        }
    }

    private void Add(ReadOnlySpan<byte> line, long at)
    {
        int first = line.IndexOf((byte)' ');
        int second = first < 0 ? -1 : line[(first + 1)..].IndexOf((byte)' ');
        if (second < 0)
            return;
        second += first + 1;
        int name = line.Length - second - 1;
        if (name > 0 && Hexadecimal(line[..first], out ulong start) && Hexadecimal(line[(first + 1)..second], out ulong bytes)
            && bytes is > 0 and <= uint.MaxValue)
        {
            _functions.Add(new(start, (uint)bytes, at + second + 1, (ushort)Math.Min(name, NameMax), _number++));
            _isSorted = false;
        }
    }

    // Where two have a place in common, the later one is there.
    private void Sort()
    {
        if (_isSorted)
            return;
        _functions.Sort(static (one, other) =>
            one.Start != other.Start ? one.Start.CompareTo(other.Start) : one.Number.CompareTo(other.Number));
        int kept = 0;
        for (int i = 0; i < _functions.Count; i++)
        {
            var function = _functions[i];
            while (kept > 0 && _functions[kept - 1] is var before && function.Start - before.Start < before.Bytes)
            {
                if (before.Number > function.Number)
                    break;
                if (before.Start < function.Start)
                {
                    _functions[kept - 1] = before with { Bytes = (uint)(function.Start - before.Start) };
                    break;
                }

                kept--;
            }

            // Behind one that is later and reaches over it.
            if (kept > 0 && _functions[kept - 1] is var later && function.Start - later.Start < later.Bytes)
                continue;
            _functions[kept++] = function;
        }

        _functions.RemoveRange(kept, _functions.Count - kept);
        _isSorted = true;
    }

    private static bool Hexadecimal(ReadOnlySpan<byte> text, out ulong value)
    {
        // V8 and HotSpot write 0x at times.
        if (text.StartsWith("0x"u8))
            text = text[2..];
        return ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    private readonly record struct Function(ulong Start, uint Bytes, long NameAt, ushort NameBytes, uint Number);
}
