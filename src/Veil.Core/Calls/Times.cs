// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Calls;

/// <summary>Times in the memory of a process.</summary>
internal static class Times
{
    private const long UtimeNow = 0x3fffffff; // include/uapi/linux/stat.h
    private const long UtimeOmit = 0x3ffffffe;

    /// <summary>A <c>timespec</c> or <c>timeval</c>.</summary>
    public static void Write(ref CallWriter writer, ReadOnlySpan<byte> bytes, int wordBytes, bool isMicro)
    {
        if (bytes.Length >= 16)
            wordBytes = 8;
        writer.BeginStruct();
        writer.Field("tv_sec"u8, bytes.Word(0, wordBytes));
        writer.Field(isMicro ? "tv_usec"u8 : "tv_nsec"u8, bytes.UWord(1, wordBytes));
        writer.EndStruct();
    }

    /// <summary>Two of them that are moments, as of a file: <c>[{tv_sec=…} /* 2001-09-09T01:46:40+0000 */, UTIME_OMIT]</c>.</summary>
    public static void WriteMoments(ref CallWriter writer, ReadOnlySpan<byte> bytes, bool isMicro)
    {
        int wordBytes = bytes.Length / 4;
        writer.BeginArray();
        for (int index = 0; index < 2; index++)
        {
            var moment = bytes.Slice(index * 2 * wordBytes, 2 * wordBytes);
            long seconds = moment.Word(0, wordBytes), fraction = moment.Word(1, wordBytes);
            writer.Item();
            if (!isMicro && fraction is UtimeNow or UtimeOmit)
            {
                writer.Word(fraction == UtimeNow ? "UTIME_NOW"u8 : "UTIME_OMIT"u8);
                continue;
            }

            Write(ref writer, moment, wordBytes, isMicro);
            Remark(ref writer, seconds, fraction, isMicro ? 6 : 9);
        }

        writer.EndArray();
    }

    /// <summary>The date of a moment, as a remark; none of 0 and of what is no moment.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="seconds">Since 1970.</param>
    /// <param name="fraction">Of a second.</param>
    /// <param name="digits">Its digits.</param>
    public static void Remark(ref CallWriter writer, long seconds, long fraction, int digits)
    {
        if (writer.IsJson || (seconds == 0 && fraction == 0) || fraction < 0 || fraction >= (digits == 6 ? 1_000_000 : 1_000_000_000))
            return;
        // The years that DateTimeOffset has, less a day for the zone.
        if (seconds is < -62135510400 or > 253402214400)
            return;
        var local = DateTimeOffset.FromUnixTimeSeconds(seconds).ToLocalTime();
        writer.TextOnly(" /* "u8);
        Part(ref writer, local.Year, 4, (byte)'-');
        Part(ref writer, local.Month, 2, (byte)'-');
        Part(ref writer, local.Day, 2, (byte)'T');
        Part(ref writer, local.Hour, 2, (byte)':');
        Part(ref writer, local.Minute, 2, (byte)':');
        writer.Line.AppendPadded((uint)local.Second, 2);
        if (fraction != 0)
        {
            writer.Line.Append((byte)'.');
            writer.Line.AppendPadded((uint)fraction, digits);
        }

        int minutes = (int)local.Offset.TotalMinutes;
        writer.Line.Append(minutes < 0 ? (byte)'-' : (byte)'+');
        writer.Line.AppendPadded((uint)Math.Abs(minutes / 60), 2);
        writer.Line.AppendPadded((uint)Math.Abs(minutes % 60), 2);
        writer.TextOnly(" */"u8);
    }

    private static void Part(ref CallWriter writer, int value, int digits, byte separator)
    {
        writer.Line.AppendPadded((uint)value, digits);
        writer.Line.Append(separator);
    }
}
