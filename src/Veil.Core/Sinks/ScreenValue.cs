using Veil.Core.Events;
using Veil.Core.Text;

namespace Veil.Core.Sinks;

/// <summary>Writes a value as <see cref="ScreenText"/> says.</summary>
internal static class ScreenValue
{
    // Of 2026-11-23T05:42:52.468805+00:00.
    private static readonly Range s_timeOfDay = 11..26;

    public static void Write(ref LineWriter line, ScreenColumn column, scoped ref EventView view)
    {
        int start = line.Length;
        switch (column.Text)
        {
            case ScreenText.Result:
                FieldWriter.Write<TextStyle>(ref line, column.ErrorOf!, ref view);
                if (line.Written[start..] is not [(byte)'0'])
                    break;
                line.Truncate(start);
                FieldWriter.Write<TextStyle>(ref line, column.Value, ref view);
                break;
            case ScreenText.IfDifferent:
                FieldWriter.Write<TextStyle>(ref line, column.Other!, ref view);
                int value = line.Length;
                FieldWriter.Write<TextStyle>(ref line, column.Value, ref view);
                if (line.Written[value..].SequenceEqual(line.Written[start..value]))
                    line.Truncate(start);
                else
                    line.Replace(start, value, []);
                break;
            case ScreenText.TimeOfDay:
                FieldWriter.Write<TextStyle>(ref line, column.Value, ref view);
                line.Truncate(start + s_timeOfDay.End.Value);
                line.Replace(start, start + s_timeOfDay.Start.Value, []);
                break;
            case ScreenText.Endpoint:
                WriteEndpoint(ref line, column, ref view);
                break;
            default:
                FieldWriter.Write<TextStyle>(ref line, column.Value, ref view);
                break;
        }
    }

    // 10.0.0.1:443, [::1]:443
    private static void WriteEndpoint(ref LineWriter line, ScreenColumn column, scoped ref EventView view)
    {
        int start = line.Length;
        FieldWriter.Write<TextStyle>(ref line, column.Value, ref view);
        if (line.Written[start..].Contains((byte)':'))
        {
            line.Replace(start, start, "["u8);
            line.Append((byte)']');
        }

        line.Append((byte)':');
        FieldWriter.Write<TextStyle>(ref line, column.Other!, ref view);
    }
}
