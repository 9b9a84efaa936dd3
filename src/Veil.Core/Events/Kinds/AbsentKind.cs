// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>A field that only other kinds of event have: not known.</summary>
internal readonly struct AbsentKind : IColumnForm
{
    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        TStyle.Unknown(ref line);
}
