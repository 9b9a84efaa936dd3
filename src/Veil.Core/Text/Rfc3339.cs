// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Text;

/// <summary>Points in time as RFC 3339 has them. The part down to the second is kept: it is the same for thousands of events.</summary>
internal static class Rfc3339
{
    private const long NsPerSecond = 1_000_000_000;

    [ThreadStatic]
    private static SecondText? s_utc;

    [ThreadStatic]
    private static SecondText? s_local;

    /// <summary><c>2026-11-23T04:49:05.123456789Z</c>.</summary>
    public static void AppendUtc(ref LineWriter line, long wallTimeNs)
    {
        var text = s_utc ??= new SecondText(TimeZoneInfo.Utc);
        text.Append(ref line, wallTimeNs, digits: 9);
        line.Append((byte)'Z');
    }

    /// <summary><c>2026-11-23T05:49:05.123456+01:00</c>, in the machine's time zone.</summary>
    public static void AppendLocal(ref LineWriter line, long wallTimeNs)
    {
        var text = s_local ??= new SecondText(TimeZoneInfo.Local);
        text.Append(ref line, wallTimeNs, digits: 6);
        line.Append(text.Offset);
    }

    private sealed class SecondText(TimeZoneInfo zone)
    {
        private readonly byte[] _text = new byte["2026-11-23T04:49:05."u8.Length];
        private readonly byte[] _offset = new byte["+00:00"u8.Length];
        private long _second = long.MinValue;

        public ReadOnlySpan<byte> Offset => _offset;

        public void Append(ref LineWriter line, long wallTimeNs, int digits)
        {
            var (second, fraction) = Math.DivRem(wallTimeNs, NsPerSecond);
            if (second != _second)
                Format(second);
            line.Append(_text);
            line.AppendPadded((uint)(digits == 9 ? fraction : fraction / 1_000), digits);
        }

        private void Format(long second)
        {
            _second = second;
            var utc = DateTime.UnixEpoch.AddSeconds(second);
            var offset = zone.GetUtcOffset(utc);
            var time = utc + offset;
            var text = new LineWriter(_text);
            text.AppendPadded((uint)time.Year, 4);
            Part((byte)'-', time.Month, ref text);
            Part((byte)'-', time.Day, ref text);
            Part((byte)'T', time.Hour, ref text);
            Part((byte)':', time.Minute, ref text);
            Part((byte)':', time.Second, ref text);
            text.Append((byte)'.');

            var zoneText = new LineWriter(_offset);
            Part(offset < TimeSpan.Zero ? (byte)'-' : (byte)'+', Math.Abs(offset.Hours), ref zoneText);
            Part((byte)':', Math.Abs(offset.Minutes), ref zoneText);
        }

        private static void Part(byte separator, int value, ref LineWriter text)
        {
            text.Append(separator);
            text.AppendPadded((uint)value, 2);
        }
    }
}
