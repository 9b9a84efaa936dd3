// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Veil.Core.Export;

/// <summary>Attributes of OTLP, <c>opentelemetry.proto.common.v1.KeyValue</c>, out of values as JSON has them.</summary>
internal static class OtlpValue
{
    // KeyValue
    private const int KeyField = 1;
    private const int ValueField = 2;

    // AnyValue
    private const int StringField = 1;
    private const int BoolField = 2;
    private const int IntField = 3;
    private const int DoubleField = 4;
    private const int ArrayField = 5;
    private const int ArrayValuesField = 1;

    /// <summary>An attribute that is text.</summary>
    public static void Text(ProtoBuffer to, int field, scoped ReadOnlySpan<byte> key, scoped ReadOnlySpan<byte> text)
    {
        int any = ProtoBuffer.SizeOfBytes(text.Length);
        BeginPair(to, field, key, any);
        to.Bytes(StringField, text);
    }

    /// <summary>An attribute that is a whole number.</summary>
    public static void Int(ProtoBuffer to, int field, scoped ReadOnlySpan<byte> key, long value)
    {
        BeginPair(to, field, key, 1 + ProtoBuffer.SizeOf((ulong)value));
        to.Number(IntField, (ulong)value);
    }

    /// <summary>An attribute out of JSON: nothing where it is null, and an object as the text that it is.</summary>
    /// <param name="to">Where it is written.</param>
    /// <param name="field">The field of the message that has it.</param>
    /// <param name="key">Its name.</param>
    /// <param name="json">One value.</param>
    /// <returns>Was there a value?</returns>
    public static bool Json(ProtoBuffer to, int field, scoped ReadOnlySpan<byte> key, scoped ReadOnlySpan<byte> json)
    {
        switch (json[0])
        {
            case (byte)'n':
                return false;
            case (byte)'"' when json.IndexOf((byte)'\\') < 0:
                Text(to, field, key, json[1..^1]);
                return true;
            case (byte)'"':
                Text(to, field, key, Encoding.UTF8.GetBytes(Parse(json).GetString()!));
                return true;
            case (byte)'t' or (byte)'f':
                BeginPair(to, field, key, 2);
                to.Number(BoolField, json[0] == 't' ? 1u : 0);
                return true;
            case (byte)'[':
                Array(to, field, key, json);
                return true;
            case (byte)'{':
                Text(to, field, key, json);
                return true;
            default:
                Number(to, field, key, json);
                return true;
        }
    }

    private static void Number(ProtoBuffer to, int field, scoped ReadOnlySpan<byte> key, scoped ReadOnlySpan<byte> json)
    {
        if (Utf8Parser.TryParse(json, out long whole, out int read) && read == json.Length)
        {
            Int(to, field, key, whole);
            return;
        }

        // Beyond what OTLP has whole numbers for, as all ones of 64 bits are.
        BeginPair(to, field, key, 1 + sizeof(double));
        to.Double(DoubleField, Utf8Parser.TryParse(json, out double number, out _) ? number : double.NaN);
    }

    private static void Array(ProtoBuffer to, int field, scoped ReadOnlySpan<byte> key, scoped ReadOnlySpan<byte> json)
    {
        int pair = to.BeginMessage(field);
        to.Bytes(KeyField, key);
        int any = to.BeginMessage(ValueField), array = to.BeginMessage(ArrayField);
        foreach (var item in Parse(json).EnumerateArray())
        {
            byte[] text = Encoding.UTF8.GetBytes(item.ValueKind == JsonValueKind.String ? item.GetString()! : item.GetRawText());
            to.Begin(ArrayValuesField, ProtoBuffer.SizeOfBytes(text.Length));
            to.Bytes(StringField, text);
        }

        to.EndMessage(array);
        to.EndMessage(any);
        to.EndMessage(pair);
    }

    private static void BeginPair(ProtoBuffer to, int field, scoped ReadOnlySpan<byte> key, int any)
    {
        to.Begin(field, ProtoBuffer.SizeOfBytes(key.Length) + ProtoBuffer.SizeOfBytes(any));
        to.Bytes(KeyField, key);
        to.Begin(ValueField, any);
    }

    // A lone surrogate cannot be: our own writer made it.
    private static JsonElement Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        return JsonElement.ParseValue(ref reader);
    }
}
