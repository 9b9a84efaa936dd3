// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using Veil.Core.Output;

namespace Veil.Core.Formats.Parquet;

/// <summary>
/// A Parquet file (https://parquet.apache.org/docs/file-format/): flat columns that may lack values, a page for each in a row group,
/// compressed with zstd. Why no library: docs/adr/0038.
/// </summary>
/// <param name="columns">Its columns, in their order.</param>
/// <param name="about">What the file says of itself.</param>
/// <param name="output">Where it is written.</param>
internal sealed class ParquetWriter(IReadOnlyList<ParquetColumn> columns, IReadOnlyList<(string Key, string Value)> about, IOutput output)
{
    /// <summary>Rows of a group.</summary>
    public const int RowsMax = 100_000;

    // Texts that wait in memory; a group that has so many is written with fewer rows.
    private const int MemoryBytesMax = 24 * 1024 * 1024;

    // Type
    private const int Boolean = 0, Int64 = 2, ByteArray = 6;

    // Encoding
    private const int Plain = 0, Rle = 3, RleDictionary = 8;

    private const int ZstdCodec = 6;
    private const int DataPage = 0, DictionaryPage = 2;

    private readonly ThriftBuffer _thrift = new();
    private readonly ParquetBytes _page = new();
    private readonly ParquetBytes _compressed = new();
    private readonly List<Group> _groups = [];
    private long _position;
    private int _row;
    private bool _isBegun;

    /// <summary>The row that values are set of.</summary>
    public int Row => _row;

    /// <summary>The row is complete.</summary>
    public void EndRow()
    {
        const int often = 1024;
        _row++;
        if (_row == RowsMax || (_row % often == 0 && columns.Sum(static column => column.MemoryBytes) > MemoryBytesMax))
            WriteGroup();
    }

    /// <summary>Takes the row back.</summary>
    public void UndoRow()
    {
        foreach (var column in columns)
            column.Undo(_row);
    }

    /// <summary>Writes what is left, and what says where all is.</summary>
    public void End()
    {
        if (_row > 0)
            WriteGroup();
        Begin();
        _thrift.Clear();
        WriteMetadata();
        Write(_thrift.Written);
        Span<byte> end = stackalloc byte[2 * sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(end, _thrift.Written.Length);
        "PAR1"u8.CopyTo(end[sizeof(int)..]);
        Write(end);
    }

    private static int TypeOf(ParquetColumn column) => column.Type switch
    {
        ParquetType.Bool => Boolean,
        ParquetType.Number or ParquetType.Time => Int64,
        _ => ByteArray,
    };

    private void Begin()
    {
        if (!_isBegun)
            Write("PAR1"u8);
        _isBegun = true;
    }

    private void WriteGroup()
    {
        Begin();
        var chunks = new List<Chunk>(columns.Count);
        foreach (var column in columns)
        {
            chunks.Add(WriteChunk(column));
            column.Clear();
        }

        _groups.Add(new Group(_row, chunks));
        _row = 0;
    }

    private Chunk WriteChunk(ParquetColumn column)
    {
        long start = _position, raw = 0;
        long? dictionary = null;
        if (column.HasDictionary)
        {
            dictionary = _position;
            _page.Clear();
            column.WriteDictionary(_page);
            raw += WritePage(DictionaryPage, column.DictionaryCount, Plain);
        }

        long data = _position;
        _page.Clear();
        column.WriteValues(_page, _row);
        raw += WritePage(DataPage, _row, column.HasDictionary ? RleDictionary : Plain);
        return new Chunk(
            dictionary, data, raw, _position - start, _row, _row - column.Count, column.IsText || column.Count == 0 ? null : column.Range);
    }

    // What the page takes without compression, with its header.
    private long WritePage(int kind, int values, int encoding)
    {
        const int kindField = 1, rawField = 2, compressedField = 3, dataField = 5, dictionaryField = 7;
        const int countField = 1, encodingField = 2, definitionField = 3, repetitionField = 4;
        _compressed.Clear();
        _compressed.Compress(_page.Written);
        _thrift.Clear();
        _thrift.Number(kindField, kind);
        _thrift.Number(rawField, _page.Length);
        _thrift.Number(compressedField, _compressed.Length);
        _thrift.Begin(kind == DataPage ? dataField : dictionaryField);
        _thrift.Number(countField, values);
        _thrift.Number(encodingField, encoding);
        if (kind == DataPage)
        {
            _thrift.Number(definitionField, Rle);
            _thrift.Number(repetitionField, Rle);
        }

        _thrift.End();
        _thrift.End();
        int header = _thrift.Written.Length;
        Write(_thrift.Written);
        Write(_compressed.Written);
        return header + _page.Length;
    }

    private void WriteMetadata()
    {
        const int version = 1, schema = 2, rows = 3, groups = 4, pairs = 5, writer = 6, orders = 7;
        _thrift.Number(version, 2);
        _thrift.BeginList(schema, ThriftBuffer.Struct, columns.Count + 1);
        WriteRoot();
        foreach (var column in columns)
            WriteSchema(column);
        _thrift.Number(rows, _groups.Sum(static group => (long)group.Rows));
        _thrift.BeginList(groups, ThriftBuffer.Struct, _groups.Count);
        foreach (var (number, group) in _groups.Index())
            WriteGroupMetadata(group, number);
        _thrift.BeginList(pairs, ThriftBuffer.Struct, about.Count);
        foreach (var (key, value) in about)
        {
            _thrift.BeginItem();
            _thrift.Text(1, key);
            _thrift.Text(2, value);
            _thrift.End();
        }

        _thrift.Text(writer, "veil");
        // Minimum and maximum are compared as the type says.
        _thrift.BeginList(orders, ThriftBuffer.Struct, columns.Count);
        for (int i = 0; i < columns.Count; i++)
        {
            _thrift.BeginItem();
            _thrift.Empty(1);
            _thrift.End();
        }

        _thrift.End();
    }

    private void WriteRoot()
    {
        const int name = 4, children = 5;
        _thrift.BeginItem();
        _thrift.Text(name, "events");
        _thrift.Number(children, columns.Count);
        _thrift.End();
    }

    private void WriteSchema(ParquetColumn column)
    {
        const int type = 1, repetition = 3, name = 4, converted = 6, logical = 10;
        const int optional = 1, utf8 = 0, convertedJson = 19;
        const int text = 1, timestamp = 8, json = 12, isUtc = 1, unit = 2, nanoseconds = 3;
        _thrift.BeginItem();
        _thrift.Number(type, TypeOf(column));
        _thrift.Number(repetition, optional);
        _thrift.Text(name, column.Name);
        if (column.IsText)
        {
            _thrift.Number(converted, column.Type == ParquetType.Json ? convertedJson : utf8);
            _thrift.Begin(logical);
            _thrift.Empty(column.Type == ParquetType.Json ? json : text);
            _thrift.End();
        }
        else if (column.Type == ParquetType.Time)
        {
            _thrift.Begin(logical);
            _thrift.Begin(timestamp);
            _thrift.Bool(isUtc, true);
            _thrift.Begin(unit);
            _thrift.Empty(nanoseconds);
            _thrift.End();
            _thrift.End();
            _thrift.End();
        }

        _thrift.End();
    }

    private void WriteGroupMetadata(Group group, int number)
    {
        const int chunks = 1, raw = 2, rows = 3, offset = 5, compressed = 6, ordinal = 7;
        _thrift.BeginItem();
        _thrift.BeginList(chunks, ThriftBuffer.Struct, group.Chunks.Count);
        foreach (var (column, chunk) in columns.Zip(group.Chunks))
            WriteChunkMetadata(column, chunk);
        _thrift.Number(raw, group.Chunks.Sum(static chunk => chunk.RawBytes));
        _thrift.Number(rows, (long)group.Rows);
        _thrift.Number(offset, group.Chunks[0].Start);
        _thrift.Number(compressed, group.Chunks.Sum(static chunk => chunk.Bytes));
        if (number <= short.MaxValue)
            _thrift.Ordinal(ordinal, (short)number);
        _thrift.End();
    }

    private void WriteChunkMetadata(ParquetColumn column, Chunk chunk)
    {
        const int offset = 2, metadata = 3;
        const int type = 1, encodings = 2, path = 3, codec = 4, values = 5, raw = 6, compressed = 7;
        const int dataPage = 9, dictionaryPage = 11, statistics = 12;
        const int nulls = 3, maximum = 5, minimum = 6;
        int[] used = chunk.DictionaryStart is null ? [Plain, Rle] : [Plain, Rle, RleDictionary];
        _thrift.BeginItem();
        _thrift.Number(offset, 0L);
        _thrift.Begin(metadata);
        _thrift.Number(type, TypeOf(column));
        _thrift.BeginList(encodings, ThriftBuffer.Int32, used.Length);
        foreach (int encoding in used)
            _thrift.Item(encoding);
        _thrift.BeginList(path, ThriftBuffer.Binary, 1);
        _thrift.Item(Encoding.UTF8.GetBytes(column.Name));
        _thrift.Number(codec, ZstdCodec);
        _thrift.Number(values, (long)chunk.Rows);
        _thrift.Number(raw, chunk.RawBytes);
        _thrift.Number(compressed, chunk.Bytes);
        _thrift.Number(dataPage, chunk.DataStart);
        if (chunk.DictionaryStart is { } dictionary)
            _thrift.Number(dictionaryPage, dictionary);
        _thrift.Begin(statistics);
        _thrift.Number(nulls, (long)chunk.Nulls);
        if (chunk.Range is { } range)
        {
            WriteBound(maximum, column, range.Max);
            WriteBound(minimum, column, range.Min);
        }

        _thrift.End();
        _thrift.End();
        _thrift.End();
    }

    private void WriteBound(int field, ParquetColumn column, long value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        _thrift.Bytes(field, column.Type == ParquetType.Bool ? bytes[..1] : bytes);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        output.Write(bytes);
        _position += bytes.Length;
    }

    private sealed record Group(int Rows, IReadOnlyList<Chunk> Chunks);

    private sealed record Chunk(
        long? DictionaryStart, long DataStart, long RawBytes, long Bytes, int Rows, int Nulls, (long Min, long Max)? Range)
    {
        public long Start => DictionaryStart ?? DataStart;
    }
}
