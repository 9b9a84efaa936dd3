// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics.CodeAnalysis;
using Veil.Core.Kernel;
using Veil.Core.Text;

namespace Veil.Core.Calls;

/// <summary>
/// Writes the values of a call, in the form of strace or as JSON. Everything that a decoder writes goes through here, so that it need not
/// know which of the two it is, and so that no byte of a process goes out raw.
/// </summary>
public ref struct CallWriter
{
    private const int DepthMax = 32;

    private LineWriter _line;
    private readonly CallOptions _options;
    private uint _hasItems; // bit n: something stands in the structure or array at depth n
    private int _depth;

    /// <summary>Goes on with a line; <see cref="Line"/> is it afterwards.</summary>
    public CallWriter(LineWriter line, CallOptions options)
    {
        _line = line;
        _options = options;
    }

    /// <summary>JSON and not text?</summary>
    public readonly bool IsJson => _options.IsJson;

    /// <summary>How it is shown.</summary>
    public readonly CallOptions Options => _options;

    /// <summary>Did the last string have bytes that JSON cannot hold?</summary>
    internal bool WasInexact { get; set; }

    /// <summary>Was an address written, which may stand for what could not be read?</summary>
    internal bool WroteAddress { get; private set; }

    /// <summary>Was a string cut?</summary>
    internal bool WasCut { get; private set; }

    /// <summary>Was the result shown as a descriptor?</summary>
    internal bool DescribedResult { get; set; }

    /// <summary>The line, for what is written as it is in both forms.</summary>
    [UnscopedRef]
    internal ref LineWriter Line => ref _line;

    /// <summary>A number.</summary>
    public void Number(long value) => _line.Append(value);

    /// <summary>A number without sign.</summary>
    public void Unsigned(ulong value) => _line.Append(value);

    /// <summary>A number in hexadecimal: <c>0x1f</c>, 0 as <c>0</c>; a string in JSON.</summary>
    public void Hex(ulong value)
    {
        Quote();
        AppendHex(value);
        Quote();
    }

    /// <summary>An address: in hexadecimal, and <c>NULL</c> (JSON null).</summary>
    public void Address(ulong value)
    {
        if (value == 0)
        {
            Null();
            return;
        }

        WroteAddress = true;
        Hex(value);
    }

    /// <summary><c>NULL</c>, in JSON null.</summary>
    public void Null() => _line.Append(IsJson ? "null"u8 : "NULL"u8);

    /// <summary>A number in octal with a leading zero, as of permissions; a string in JSON.</summary>
    public void Octal(ulong value, int digits = 2)
    {
        Quote();
        AppendOctal(value, digits);
        Quote();
    }

    /// <summary>A word of the field: a constant's name. A string in JSON.</summary>
    public void Word(ReadOnlySpan<byte> word)
    {
        Quote();
        _line.Append(word);
        Quote();
    }

    /// <summary>The name that stands for a number, the number in hexadecimal (with what it should have been as a remark, in text) where
    /// there is none.</summary>
    public void Name(FlagSet set, ulong value)
    {
        var name = set.NameOf(value);
        if (!name.IsEmpty)
        {
            Word(name);
            return;
        }

        Quote();
        AppendHex(value);
        if (set.UnknownName is { IsEmpty: false } unknown)
            Remark(unknown);
        Quote();
    }

    /// <summary>Flags: <c>O_RDONLY|O_CLOEXEC</c>.</summary>
    public void Flags(FlagSet set, ulong value)
    {
        Quote();
        if (set.Format(ref _line, value) == 0 && value != 0 && set.UnknownName is { IsEmpty: false } unknown)
            Remark(unknown);
        Quote();
    }

    /// <summary>A string of the process, in quotes and escaped; with an ellipsis where there was more.</summary>
    public void String(ReadOnlySpan<byte> bytes, bool isTruncated)
    {
        _line.Append((byte)'"');
        if (IsJson)
            WasInexact |= !Escaping.AppendJson(ref _line, bytes);
        else
            CallEscaping.Append(ref _line, bytes);
        _line.Append((byte)'"');
        WasCut |= isTruncated;
        if (isTruncated && !IsJson)
            _line.Append("..."u8);
    }

    /// <summary>A string that was read up to the number of characters that are shown.</summary>
    public void String(in CallChunk chunk) => String(Cut(chunk.Bytes), chunk.IsTruncated || chunk.Bytes.Length > _options.StringSize);

    /// <summary>The bytes of a buffer that are shown.</summary>
    public readonly ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> bytes) =>
        bytes.Length > _options.StringSize ? bytes[.._options.StringSize] : bytes;

    /// <summary>Begins a structure.</summary>
    public void BeginStruct() => Begin((byte)'{');

    /// <summary>Ends it.</summary>
    public void EndStruct() => End((byte)'}');

    /// <summary>A field that is a number.</summary>
    public void Field(ReadOnlySpan<byte> name, long value)
    {
        Field(name);
        Number(value);
    }

    /// <summary>A field that is a number without sign.</summary>
    public void Field(ReadOnlySpan<byte> name, ulong value)
    {
        Field(name);
        Unsigned(value);
    }

    /// <summary>Begins a field of it.</summary>
    public void Field(ReadOnlySpan<byte> name)
    {
        Separate();
        if (IsJson)
            _line.Append((byte)'"');
        _line.Append(name);
        if (IsJson)
            _line.Append("\":"u8);
        else
            _line.Append((byte)'=');
    }

    /// <summary>Marks that the structure has more than is shown: <c>...</c>. Nothing in JSON.</summary>
    public void More()
    {
        if (IsJson)
            return;
        Separate();
        _line.Append("..."u8);
    }

    /// <summary>Marks where an array goes on in what could not be read: <c>... /* 0x7f00 */</c>.</summary>
    public void More(ulong address)
    {
        WroteAddress = true;
        More();
        if (IsJson)
            return;
        _line.Append(" /* "u8);
        AppendHex(address);
        _line.Append(" */"u8);
    }

    /// <summary>Begins an array.</summary>
    public void BeginArray() => Begin((byte)'[');

    /// <summary>Ends it.</summary>
    public void EndArray() => End((byte)']');

    /// <summary>Begins an element of it.</summary>
    public void Item() => Separate();

    /// <summary>A remark of text output: <c> /* 23 vars */</c> and its like.</summary>
    public void Remark(ReadOnlySpan<byte> text)
    {
        if (IsJson)
            return;
        _line.Append(" /* "u8);
        _line.Append(text);
        _line.Append(" */"u8);
    }

    /// <summary>Text as it is, of text output alone.</summary>
    public void TextOnly(ReadOnlySpan<byte> text)
    {
        if (!IsJson)
            _line.Append(text);
    }

    /// <summary>Opens or closes a JSON string of what needs no escapes.</summary>
    public void Quote()
    {
        if (IsJson)
            _line.Append((byte)'"');
    }

    /// <summary>Hexadecimal without quotes: <c>0x1f</c>, and 0 as <c>0</c>.</summary>
    public void AppendHex(ulong value)
    {
        if (value != 0)
            _line.Append("0x"u8);
        _line.AppendHex(value);
    }

    /// <summary>Octal without quotes, with a leading zero.</summary>
    public void AppendOctal(ulong value, int digits = 2)
    {
        int shift = 63;
        while (shift > 0 && value >> shift == 0 && shift / 3 >= digits)
            shift -= 3;
        _line.Append((byte)'0');
        for (; shift >= 0; shift -= 3)
            _line.Append((byte)('0' + (int)((value >> shift) & 7)));
    }

    private void Begin(byte bracket)
    {
        _line.Append(bracket);
        if (_depth < DepthMax - 1)
            _depth++;
        _hasItems &= ~(1u << _depth);
    }

    private void End(byte bracket)
    {
        _line.Append(bracket);
        if (_depth > 0)
            _depth--;
    }

    private void Separate()
    {
        if ((_hasItems & (1u << _depth)) != 0)
            _line.Append(IsJson ? ","u8 : ", "u8);
        _hasItems |= 1u << _depth;
    }
}
