namespace Veil.Core.Text;

/// <summary>Nanoseconds with the unit that suits them and three digits after the point: <c>950ns 12.345us 1.002s</c>.</summary>
public static class DurationText
{
    /// <summary>Appends the duration; seconds are the largest unit.</summary>
    public static void Append(ref LineWriter line, ulong nanoseconds)
    {
        switch (nanoseconds)
        {
            case < 1_000:
                line.Append(nanoseconds);
                line.Append("ns"u8);
                break;
            case < 1_000_000:
                AppendThousandths(ref line, nanoseconds);
                line.Append("us"u8);
                break;
            case < 1_000_000_000:
                AppendThousandths(ref line, nanoseconds / 1_000);
                line.Append("ms"u8);
                break;
            default:
                AppendThousandths(ref line, nanoseconds / 1_000_000);
                line.Append((byte)'s');
                break;
        }
    }

    private static void AppendThousandths(ref LineWriter line, ulong thousandths)
    {
        line.Append(thousandths / 1_000);
        line.Append((byte)'.');
        line.AppendPadded((uint)(thousandths % 1_000), 3);
    }
}
