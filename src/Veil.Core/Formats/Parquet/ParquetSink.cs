// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Text;
using System.Text.Json;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Losses;
using Veil.Core.Recordings;
using Veil.Core.Sinks;
using Veil.Core.Text;

namespace Veil.Core.Formats.Parquet;

/// <summary>
/// Events as rows of one table: its columns are the fields of all kinds of events, and a row has those that its kind has. A field that is
/// of one type in one kind and of another in another is text.
/// </summary>
internal sealed class ParquetSink : IExportSink
{
    private readonly ParquetWriter _writer;
    private readonly List<ParquetColumn> _columns = [];
    private readonly (ParquetColumn Column, EventValue Value)[][] _plans;
    private readonly Action<string> _message;
    private readonly byte[] _value;
    private byte[] _text = new byte[256];
    private ulong _taken;

    public ParquetSink(ExportInput input)
    {
        _message = input.Message;
        var fields = input.Events.Schemas.Select(
            schema => FieldSelection.Of(schema, input.Shown).Where(static field => !field.Value.Is<AbsentKind>()).ToList()).ToList();
        var names = input.Shown.Fields.Count > 0 ? input.Shown.Fields
            : fields.SelectMany(static some => some).Select(static field => field.Name).Distinct(StringComparer.Ordinal);
        foreach (string name in names)
        {
            var types = fields.SelectMany(static some => some).Where(field => field.Name == name).Select(TypeOf).Distinct().ToList();
            _columns.Add(new ParquetColumn(name, types is [var only] ? only : ParquetType.Text));
        }

        _plans = [.. fields.Select(some => some.Select(
            field => (_columns.Find(column => column.Name == field.Name)!, field.Value)).ToArray())];
        _value = new byte[fields.SelectMany(static some => some).Max(static field => field.Value.BytesMax) + 64];
        _writer = new ParquetWriter(_columns, About(input.Description), input.Output);
    }

    /// <inheritdoc/>
    public ulong Delivered { get; private set; }

    /// <inheritdoc/>
    public void Write(ref EventView view)
    {
        try
        {
            foreach (ref readonly var cell in _plans[view.Schema.Index].AsSpan())
                Set(cell.Column, cell.Value, ref view);
        }
        catch
        {
            // Of an event that cannot be read to its end nothing is left.
            _writer.UndoRow();
            throw;
        }

        _taken++;
        _writer.EndRow();
    }

    /// <inheritdoc/>
    public bool Lost(LossKey key, LossCount lost) => false;

    /// <inheritdoc/>
    public void Flush()
    {
    }

    /// <inheritdoc/>
    public void End()
    {
        _writer.End();
        foreach (var column in _columns.Where(static column => column.TooLarge > 0))
            _message($"--to parquet: {column.TooLarge} values of {column.Name} have more than 63 bits, and are NULL");
        Delivered = _taken;
    }

    private static ParquetType TypeOf(EventField field)
    {
        if (field.Value.Is<TimeKind>())
            return ParquetType.Time;
        string type = field.Value.JsonType;
        return type.StartsWith("number", StringComparison.Ordinal) ? ParquetType.Number
            : type.StartsWith("boolean", StringComparison.Ordinal) ? ParquetType.Bool
            : type.StartsWith("string", StringComparison.Ordinal) ? ParquetType.Text : ParquetType.Json;
    }

    private static List<(string Key, string Value)> About(RecordingDescription about) =>
    [
        ("veil.version", about.Veil), ("veil.host", about.Host), ("veil.kernel", about.Kernel),
        ("veil.command", string.Join(' ', about.Command)), ("veil.recording", about.Set), ("veil.started", ReplayRange.TimeText(about.Started.RealNs)),
    ];

    private void Set(ParquetColumn column, EventValue value, scoped ref EventView view)
    {
        if (column.Type == ParquetType.Time)
        {
            column.Set(_writer.Row, view.WallTimeNs);
            return;
        }

        var line = new LineWriter(_value);
        value.WriteJson(ref line, ref view);
        var json = line.Written;
        if (json[0] == 'n')
            return;
        switch (column.Type)
        {
            case ParquetType.Bool:
                column.Set(_writer.Row, json[0] == 't' ? 1 : 0);
                break;
            case ParquetType.Number:
                if (Utf8Parser.TryParse(json, out long number, out int read) && read == json.Length)
                    column.Set(_writer.Row, number);
                else
                    column.TooLarge++;
                break;
            case ParquetType.Text when json[0] == '"':
                column.Set(_writer.Row, TextOf(json));
                break;
            default:
                column.Set(_writer.Row, json);
                break;
        }
    }

    private ReadOnlySpan<byte> TextOf(ReadOnlySpan<byte> json)
    {
        if (json.IndexOf((byte)'\\') < 0)
            return json[1..^1];
        if (_text.Length < json.Length)
            _text = new byte[json.Length];
        var reader = new Utf8JsonReader(json);
        reader.Read();
        return _text.AsSpan(0, reader.CopyString(_text));
    }
}
