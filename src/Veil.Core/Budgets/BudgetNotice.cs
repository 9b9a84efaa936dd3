// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using Veil.Core.Text;

namespace Veil.Core.Budgets;

/// <summary>What a trace with a budget tells in its stream.</summary>
/// <param name="TimestampNs">When, in nanoseconds since boot.</param>
public abstract record BudgetNotice(long TimestampNs)
{
    /// <summary>The line for people.</summary>
    public abstract string Text { get; }

    /// <summary>The object for programs, without the line's end.</summary>
    public abstract string Json { get; }

    /// <summary>Its name in streams (<c>evt_type</c>).</summary>
    public abstract string Name { get; }

    /// <summary>Appends the object as a line.</summary>
    internal void Append(ref LineWriter line)
    {
        line.Append(Encoding.UTF8.GetBytes(Json));
        line.Append((byte)'\n');
    }

    private protected static string Exactly(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
