// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Comparing;

/// <summary>An event of a run, as it is compared. The numbers are those of <see cref="TextTable"/>.</summary>
/// <param name="Name">The call's name.</param>
/// <param name="Anchor">Its name and its paths: events with the same one can stand for each other.</param>
/// <param name="Whole">All that is compared of it, with the result.</param>
/// <param name="Time">Microseconds since the beginning of the run, times two; the lowest bit: it failed.</param>
internal readonly record struct RunEvent(int Name, int Anchor, int Whole, uint Time)
{
    /// <summary>Did it fail: an error, an exit status that is not 0, a signal?</summary>
    public bool Failed => (Time & 1) != 0;

    /// <summary>Microseconds since the beginning.</summary>
    public uint TimeUs => Time >> 1;

    /// <summary>Puts time and failure together. Of more than half an hour the time is no longer exact.</summary>
    public static uint TimeOf(ulong microseconds, bool failed) =>
        ((uint)Math.Min(microseconds, uint.MaxValue >> 1) << 1) | (failed ? 1u : 0);
}
