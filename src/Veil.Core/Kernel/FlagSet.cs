// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Kernel;

/// <summary>The names of an argument's values: flags, an enumeration, or flags beside a field that is an enumeration
/// (<c>O_RDWR|O_CREAT</c>).</summary>
/// <remarks>
/// A few numbers that point into the constant tables of <see cref="FlagSets"/>, so that a table of arguments can hold it. Values of 32-bit
/// parameters are given zero-extended, <c>(uint)argument</c>: <c>AT_FDCWD</c> is 0xffffff9c. Nothing allocates.
/// </remarks>
public readonly record struct FlagSet
{
    private readonly ushort _first;
    private readonly ushort _count;
    private readonly ushort _fieldFirst;
    private readonly ushort _fieldCount;
    private readonly uint _fieldMask;
    private readonly uint _unknown;

    internal FlagSet(ushort first, ushort count, bool isFlags, uint unknown, ushort fieldFirst, ushort fieldCount, uint fieldMask)
    {
        _first = first;
        _count = count;
        IsFlags = isFlags;
        _unknown = unknown;
        _fieldFirst = fieldFirst;
        _fieldCount = fieldCount;
        _fieldMask = fieldMask;
    }

    /// <summary>Whether several names may stand for one value.</summary>
    public bool IsFlags { get; }

    /// <summary>How many values have a name, without those of the field.</summary>
    public int Count => _count;

    /// <summary>What strace calls a value in which nothing has a name, such as <c>MSG_???</c>.</summary>
    public ReadOnlySpan<byte> UnknownName => FlagSets.NameAt(_unknown);

    /// <summary>The name of exactly this value, empty when it has none.</summary>
    public ReadOnlySpan<byte> NameOf(ulong value)
    {
        if (!IsFlags)
            return Find(_first, _count, value);
        var values = FlagSets.Values.Slice(_first, _count);
        int index = values.IndexOf(value);
        return index < 0 ? default : FlagSets.NameAt(FlagSets.NameOffsets[_first + index]);
    }

    /// <summary>
    /// Appends names as strace does: <c>A|B|0x40</c>, with what has no name in hexadecimal; for no flag the name of 0, or <c>0</c>.
    /// </summary>
    /// <returns>How many names were written. After a value of which none is known strace adds <see cref="UnknownName"/> as a
    /// comment.</returns>
    public int Format(ref LineWriter line, ulong value)
    {
        int start = line.Length;
        int names = 0;
        ulong rest = value;
        if (!IsFlags)
        {
            rest = AppendName(ref line, start, NameOf(value), ref names) ? 0 : value;
        }
        else
        {
            ulong field = value & _fieldMask;
            rest &= ~(ulong)_fieldMask;
            if (_fieldCount > 0 && !AppendName(ref line, start, Find(_fieldFirst, _fieldCount, field), ref names) && field != 0)
            {
                line.Append("0x"u8);
                line.AppendHex(field);
            }

            var values = FlagSets.Values.Slice(_first, _count);
            for (int i = 0; i < values.Length && rest != 0; i++)
            {
                if (values[i] == 0 || (rest & values[i]) != values[i])
                    continue;
                rest &= ~values[i];
                AppendName(ref line, start, FlagSets.NameAt(FlagSets.NameOffsets[_first + i]), ref names);
            }

            // The name of no flag is last.
            if (value == 0 && names == 0 && values is [.., 0])
                AppendName(ref line, start, FlagSets.NameAt(FlagSets.NameOffsets[_first + _count - 1]), ref names);
        }

        if (rest != 0)
        {
            line.Append(line.Length > start ? "|0x"u8 : "0x"u8);
            line.AppendHex(rest);
        }
        else if (line.Length == start)
        {
            line.Append((byte)'0');
        }

        return names;
    }

    private static bool AppendName(ref LineWriter line, int start, ReadOnlySpan<byte> name, ref int names)
    {
        if (name.IsEmpty)
            return false;
        if (line.Length > start)
            line.Append((byte)'|');
        line.Append(name);
        names++;
        return true;
    }

    private static ReadOnlySpan<byte> Find(int first, int count, ulong value)
    {
        int index = FlagSets.Values.Slice(first, count).BinarySearch(value);
        return index < 0 ? default : FlagSets.NameAt(FlagSets.NameOffsets[first + index]);
    }
}
