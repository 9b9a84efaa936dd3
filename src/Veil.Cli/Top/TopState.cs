// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Counting;

namespace Veil.Cli.Top;

/// <summary>What the user chose to see of a table.</summary>
internal sealed class TopState
{
    /// <summary>Which fields make a row: a place in <see cref="TopView.Groups"/>.</summary>
    public int Group { get; set; }

    /// <summary>What rows are ranked by.</summary>
    public CountSort Sort { get; set; }

    /// <summary>Text that a row must have.</summary>
    public string Filter { get; set; } = "";

    /// <summary>The chosen row.</summary>
    public int Selected { get; set; }

    /// <summary>The first row that is on the screen.</summary>
    public int Top { get; set; }

    /// <summary>Is the table held, and nothing counted?</summary>
    public bool Paused { get; set; }

    /// <summary>What stands in the last line instead of the keys; or none.</summary>
    public string? Prompt { get; set; }

    /// <summary>What is to be said; or none.</summary>
    public string? Message { get; set; }

    /// <summary>The key of the chosen row, which stays chosen where it is ranked elsewhere; none: the place stays.</summary>
    public string? Followed { get; set; }

    /// <summary>Keeps the chosen row among the rows, and on the screen.</summary>
    public void Settle(IReadOnlyList<TopRow> rows, int body)
    {
        if (Followed is not null)
        {
            for (int at = 0; at < rows.Count; at++)
            {
                if (rows[at].Key == Followed)
                    Selected = at;
            }
        }

        Selected = Math.Clamp(Selected, 0, Math.Max(rows.Count - 1, 0));
        Top = Math.Clamp(Top, Math.Max(Selected - body + 1, 0), Selected);
    }
}
