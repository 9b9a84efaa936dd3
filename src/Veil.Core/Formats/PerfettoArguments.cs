// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Text;
using System.Text.Json;
using Veil.Core.Export;

namespace Veil.Core.Formats;

/// <summary>Values as JSON has them become <c>perfetto.protos.DebugAnnotation</c>.</summary>
/// <param name="names">Numbers of texts.</param>
internal sealed class PerfettoArguments(PerfettoNames names)
{
    // DebugAnnotation
    private const int NameNumberField = 1;
    private const int BoolField = 2;
    private const int UnsignedField = 3;
    private const int SignedField = 4;
    private const int DoubleField = 5;
    private const int StringField = 6;
    private const int NameField = 10;
    private const int EntriesField = 11;
    private const int ItemsField = 12;
    private const int StringNumberField = 17;
    private const int StringNumberTagBytes = 2;

    private byte[] _text = new byte[256];

    /// <summary>Appends a value; nothing where it is null, or holds nothing.</summary>
    /// <param name="to">The event.</param>
    /// <param name="field">Its field of arguments.</param>
    /// <param name="name">The number of the argument's name.</param>
    /// <param name="json">One value.</param>
    public void Add(ProtoBuffer to, int field, ulong name, scoped ReadOnlySpan<byte> json)
    {
        int nameBytes = 1 + ProtoBuffer.SizeOf(name);
        switch (json[0])
        {
            case (byte)'n':
                return;
            case (byte)'t' or (byte)'f':
                to.Begin(field, nameBytes + 2);
                to.Number(NameNumberField, name);
                to.Number(BoolField, json[0] == 't' ? 1u : 0);
                return;
            case (byte)'"' when json.IndexOf((byte)'\\') < 0:
                var text = json[1..^1];
                if (names.Of(PerfettoNames.Strings, text) is var number and not 0)
                {
                    to.Begin(field, nameBytes + StringNumberTagBytes + ProtoBuffer.SizeOf(number));
                    to.Number(NameNumberField, name);
                    to.Number(StringNumberField, number);
                }
                else
                {
                    to.Begin(field, nameBytes + ProtoBuffer.SizeOfBytes(text.Length));
                    to.Number(NameNumberField, name);
                    to.Bytes(StringField, text);
                }

                return;
            case (byte)'"' or (byte)'{' or (byte)'[':
                if (json.Length <= 2)
                    return;
                int annotation = to.BeginMessage(field);
                to.Number(NameNumberField, name);
                var reader = new Utf8JsonReader(json);
                reader.Read();
                Value(to, ref reader);
                to.EndMessage(annotation);
                return;
            default:
                bool isWhole = Utf8Parser.TryParse(json, out long whole, out int read) && read == json.Length;
                to.Begin(field, nameBytes + (isWhole ? 1 + ProtoBuffer.SizeOf((ulong)whole) : 1 + sizeof(double)));
                to.Number(NameNumberField, name);
                if (isWhole)
                    to.Number(SignedField, (ulong)whole);
                else
                    to.Double(DoubleField, Utf8Parser.TryParse(json, out double some, out _) ? some : double.NaN);
                return;
        }
    }

    private void Value(ProtoBuffer to, ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.True or JsonTokenType.False:
                to.Number(BoolField, reader.TokenType == JsonTokenType.True ? 1u : 0);
                break;
            case JsonTokenType.Number when reader.TryGetInt64(out long whole):
                to.Number(SignedField, (ulong)whole);
                break;
            case JsonTokenType.Number when reader.TryGetUInt64(out ulong whole):
                to.Number(UnsignedField, whole);
                break;
            case JsonTokenType.Number:
                to.Double(DoubleField, reader.GetDouble());
                break;
            case JsonTokenType.Null:
                to.Bytes(StringField, "null"u8);
                break;
            case JsonTokenType.String:
                to.Bytes(StringField, Text(ref reader));
                break;
            default:
                bool isObject = reader.TokenType == JsonTokenType.StartObject;
                while (reader.Read() && reader.TokenType is not (JsonTokenType.EndObject or JsonTokenType.EndArray))
                {
                    int entry = to.BeginMessage(isObject ? EntriesField : ItemsField);
                    if (isObject)
                    {
                        to.Bytes(NameField, Text(ref reader));
                        reader.Read();
                    }

                    Value(to, ref reader);
                    to.EndMessage(entry);
                }

                break;
        }
    }

    private ReadOnlySpan<byte> Text(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
            return reader.ValueSpan;
        if (_text.Length < reader.ValueSpan.Length)
            _text = new byte[reader.ValueSpan.Length];
        return _text.AsSpan(0, reader.CopyString(_text));
    }
}
