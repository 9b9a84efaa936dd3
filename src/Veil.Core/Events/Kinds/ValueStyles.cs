// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>Columns of text.</summary>
internal readonly struct TextStyle : IValueStyle
{
    public static void Quote(ref LineWriter line)
    {
    }

    public static int Text(ref LineWriter line, scoped ReadOnlySpan<byte> raw) => Escaping.AppendText(ref line, raw);

    /// <summary>A file whose name is gone is marked as the kernel does it; of one that is really named so the blank is escaped.</summary>
    public static int Path(ref LineWriter line, EventPart part, ReadOnlySpan<byte> record)
    {
        var name = part.NameOf(record);
        if (part.IsDeleted)
        {
            int shown = Text(ref line, name);
            line.Append(EventPart.DeletedSuffix);
            return shown + EventPart.DeletedSuffix.Length;
        }

        if (!name.EndsWith(EventPart.DeletedSuffix))
            return Text(ref line, name);
        int before = Text(ref line, name[..^EventPart.DeletedSuffix.Length]);
        line.Append("\\x20"u8);
        return before + 4 + Text(ref line, EventPart.DeletedSuffix[1..]);
    }

    public static int Unknown(ref LineWriter line) => line.Append("?"u8);

    public static int NoError(ref LineWriter line) => line.Append("0"u8);

    public static void Time(ref LineWriter line, long wallTimeNs) => Rfc3339.AppendLocal(ref line, wallTimeNs);
}

/// <summary><c>key=value</c>: a value with a blank in it is quoted, so that a line splits into pairs without doubt; what looks like a key
/// there is escaped.</summary>
internal readonly struct PairStyle : IValueStyle
{
    public static void Quote(ref LineWriter line)
    {
    }

    public static int Text(ref LineWriter line, scoped ReadOnlySpan<byte> raw)
    {
        if (raw.Length > 0 && raw.IndexOfAny((byte)' ', (byte)'"', (byte)'=') < 0)
            return Escaping.AppendText(ref line, raw);
        int start = line.Length;
        line.Append((byte)'"');
        int quote;
        while ((quote = raw.IndexOf((byte)'"')) >= 0)
        {
            Escaping.AppendText(ref line, raw[..quote]);
            line.Append("\\\""u8);
            raw = raw[(quote + 1)..];
        }

        Escaping.AppendText(ref line, raw);
        line.Append((byte)'"');
        return line.Length - start;
    }

    public static int Path(ref LineWriter line, EventPart part, ReadOnlySpan<byte> record) => Text(ref line, part.Of(record));

    public static int Unknown(ref LineWriter line) => line.Append("?"u8);

    public static int NoError(ref LineWriter line) => line.Append("0"u8);

    public static void Time(ref LineWriter line, long wallTimeNs) => Rfc3339.AppendLocal(ref line, wallTimeNs);
}

/// <summary>JSON.</summary>
internal readonly struct JsonStyle : IValueStyle
{
    public static void Quote(ref LineWriter line) => line.Append((byte)'"');

    public static int Text(ref LineWriter line, scoped ReadOnlySpan<byte> raw)
    {
        line.Append((byte)'"');
        bool exact = Escaping.AppendJson(ref line, raw);
        line.Append((byte)'"');
        return exact ? 1 : NotExact;
    }

    public static int Path(ref LineWriter line, EventPart part, ReadOnlySpan<byte> record) => Text(ref line, part.Of(record));

    /// <summary>What <see cref="Text"/> answers where the string does not hold every byte.</summary>
    public const int NotExact = -1;

    public static int Unknown(ref LineWriter line) => line.Append("null"u8);

    public static int NoError(ref LineWriter line) => line.Append("null"u8);

    public static void Time(ref LineWriter line, long wallTimeNs) => Rfc3339.AppendUtc(ref line, wallTimeNs);
}
