// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Core.Text;

namespace Veil.Core.Formats.Parquet;

/// <summary>The values of a column in the rows that are not written yet. Rows that lack one cost a bit.</summary>
/// <param name="name">Its name.</param>
/// <param name="type">What it holds.</param>
internal sealed class ParquetColumn(string name, ParquetType type)
{
    // A text that is repeated is written once a row group; where they are mostly different, that only costs.
    private const int DictionaryBytesMax = 1024 * 1024;

    private readonly byte[] _present = new byte[(ParquetWriter.RowsMax + 7) / 8];
    private readonly List<long> _numbers = [];
    private readonly List<int> _texts = [];
    private readonly List<byte[]> _dictionary = [];
    private readonly Dictionary<byte[], int> _places = new(BytesComparer.Instance);
    private int _dictionaryBytes;

    public string Name => name;

    public ParquetType Type => type;

    /// <summary>Is it text, of whatever kind?</summary>
    public bool IsText => type is ParquetType.Text or ParquetType.Json;

    /// <summary>Rows that have a value.</summary>
    public int Count { get; private set; }

    /// <summary>The smallest and the largest number.</summary>
    public (long Min, long Max) Range { get; private set; }

    /// <summary>Bytes of memory that its texts take.</summary>
    public int MemoryBytes => _dictionaryBytes;

    /// <summary>Values of numbers that have more than 63 bits, which are not in it.</summary>
    public ulong TooLarge { get; set; }

    /// <summary>Are its texts worth a dictionary?</summary>
    public bool HasDictionary => IsText && Count > 0 && _dictionaryBytes <= DictionaryBytesMax && _dictionary.Count <= Count / 2;

    /// <summary>Texts in the dictionary.</summary>
    public int DictionaryCount => _dictionary.Count;

    /// <summary>Sets a number, or a truth as 0 and 1.</summary>
    public void Set(int row, long value)
    {
        Range = Count == 0 ? (value, value) : (Math.Min(Range.Min, value), Math.Max(Range.Max, value));
        Mark(row);
        _numbers.Add(value);
    }

    /// <summary>Sets a text.</summary>
    public void Set(int row, ReadOnlySpan<byte> value)
    {
        var places = _places.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (!places.TryGetValue(value, out int place))
        {
            byte[] own = value.ToArray();
            _places[own] = place = _dictionary.Count;
            _dictionary.Add(own);
            _dictionaryBytes += own.Length + sizeof(int);
        }

        Mark(row);
        _texts.Add(place);
    }

    /// <summary>The dictionary's page.</summary>
    public void WriteDictionary(ParquetBytes to)
    {
        foreach (byte[] text in _dictionary)
        {
            to.Append(text.Length);
            to.Append(text);
        }
    }

    /// <summary>The values' page.</summary>
    /// <param name="to">Where it is written.</param>
    /// <param name="rows">How many rows there are.</param>
    public void WriteValues(ParquetBytes to, int rows)
    {
        int levels = to.Length;
        to.Append(0);
        if (Count == rows || Count == 0)
            to.AppendRun(rows, Count == 0 ? (byte)0 : (byte)1);
        else
            to.AppendPackedBits(_present, rows);
        to.EndSized(levels);
        if (HasDictionary)
        {
            int width = ParquetBytes.WidthOf(_dictionary.Count);
            to.Append((byte)width);
            to.AppendPacked(CollectionsMarshal.AsSpan(_texts), width);
        }
        else if (IsText)
        {
            foreach (int place in _texts)
            {
                to.Append(_dictionary[place].Length);
                to.Append(_dictionary[place]);
            }
        }
        else if (type == ParquetType.Bool)
        {
            WriteBits(to);
        }
        else
        {
            // Little-endian, as all machines that this runs on.
            to.Append(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_numbers)));
        }
    }

    /// <summary>Forgets its values, which are written.</summary>
    public void Clear()
    {
        _present.AsSpan().Clear();
        _numbers.Clear();
        _texts.Clear();
        _dictionary.Clear();
        _places.Clear();
        (_dictionaryBytes, Count) = (0, 0);
    }

    private void Mark(int row)
    {
        _present[row >> 3] |= (byte)(1 << (row & 7));
        Count++;
    }

    private void WriteBits(ParquetBytes to)
    {
        for (int first = 0; first < _numbers.Count; first += 8)
        {
            byte bits = 0;
            for (int i = first; i < Math.Min(first + 8, _numbers.Count); i++)
                bits |= (byte)(_numbers[i] << (i - first));
            to.Append(bits);
        }
    }
}
