// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>The wall-clock time, from the enrichment.</summary>
internal readonly struct TimeKind : IValueKind
{
    public static ValueFacts Facts { get; } = new("string", null, null);

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
    {
        int start = line.Length;
        TStyle.Quote(ref line);
        TStyle.Time(ref line, view.WallTimeNs);
        TStyle.Quote(ref line);
        return line.Length - start;
    }

    public static EventValue OnScreen(EventValue value) => value.As<TimeOfDay>();

    // Without the date and the zone.
    private readonly struct TimeOfDay : IColumnForm
    {
        // Of 2026-11-23T05:42:52.468805+00:00.
        private const int Start = 11;
        private const int End = 26;

        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
        {
            int start = line.Length;
            TStyle.Time(ref line, view.WallTimeNs);
            line.Truncate(start + End);
            line.Replace(start, start + Start, []);
            return End - Start;
        }
    }
}
