using Veil.Core.Text;

namespace Veil.Core.Sinks;

/// <summary>Columns of text.</summary>
internal readonly struct TextStyle : IValueStyle
{
    public static void Quote(ref LineWriter line)
    {
    }

    public static int Text(ref LineWriter line, ReadOnlySpan<byte> raw) => Escaping.AppendText(ref line, raw);

    public static void Unknown(ref LineWriter line) => line.Append((byte)'?');

    public static void Time(ref LineWriter line, long wallTimeNs) => Rfc3339.AppendLocal(ref line, wallTimeNs);
}

/// <summary><c>key=value</c>: a value with a blank in it is quoted, so that a line splits into pairs without doubt; what looks like a key there is escaped.</summary>
internal readonly struct PairStyle : IValueStyle
{
    public static void Quote(ref LineWriter line)
    {
    }

    public static int Text(ref LineWriter line, ReadOnlySpan<byte> raw)
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

    public static void Unknown(ref LineWriter line) => line.Append((byte)'?');

    public static void Time(ref LineWriter line, long wallTimeNs) => Rfc3339.AppendLocal(ref line, wallTimeNs);
}

/// <summary>JSON.</summary>
internal readonly struct JsonStyle : IValueStyle
{
    public static void Quote(ref LineWriter line) => line.Append((byte)'"');

    public static int Text(ref LineWriter line, ReadOnlySpan<byte> raw)
    {
        line.Append((byte)'"');
        bool exact = Escaping.AppendJson(ref line, raw);
        line.Append((byte)'"');
        return exact ? 1 : NotExact;
    }

    /// <summary>What <see cref="Text"/> answers where the string does not hold every byte.</summary>
    public const int NotExact = -1;

    public static void Unknown(ref LineWriter line) => line.Append("null"u8);

    public static void Time(ref LineWriter line, long wallTimeNs) => Rfc3339.AppendUtc(ref line, wallTimeNs);
}
