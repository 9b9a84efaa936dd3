// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Comparing;

/// <summary>What the calls of one name come to.</summary>
/// <param name="Calls">How many.</param>
/// <param name="Errors">Of these, how many failed.</param>
/// <param name="TimeNs">Nanoseconds that they took.</param>
internal readonly record struct CallTotals(ulong Calls, ulong Errors, ulong TimeNs)
{
    public static CallTotals operator +(CallTotals one, CallTotals other) =>
        new(one.Calls + other.Calls, one.Errors + other.Errors, one.TimeNs + other.TimeNs);
}
