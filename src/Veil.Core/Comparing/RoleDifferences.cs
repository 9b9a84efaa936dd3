// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Comparing;

/// <summary>All that differs of a thread, or of a process that one of the runs has not.</summary>
/// <param name="role">Whose it is.</param>
internal sealed class RoleDifferences(string role)
{
    /// <summary>Whose it is.</summary>
    public string Role { get; } = role;

    /// <summary>Events that are equal.</summary>
    public int Equal { get; set; }

    /// <summary>Events that came to something else.</summary>
    public int Changed { get; set; }

    /// <summary>Events that only the good run has.</summary>
    public int Missing { get; set; }

    /// <summary>Events that only the bad run has.</summary>
    public int Extra { get; set; }

    /// <summary>The first; none: it is the same in both.</summary>
    public Difference? First { get; set; }
}
