// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Comparing;

/// <summary>Where two runs part.</summary>
/// <param name="Role">Whose it is: the way from the root of the process tree.</param>
/// <param name="EqualBefore">Equal events of the same thread before it.</param>
/// <param name="Good">What the good run does; none: nothing.</param>
/// <param name="Bad">What the bad run does; none: nothing.</param>
/// <param name="TimeUs">When, in the bad run: differences are put in order by it.</param>
internal sealed record Difference(string Role, int EqualBefore, RunEvent? Good, RunEvent? Bad, uint TimeUs)
{
    /// <summary>Is it a whole process that one of the runs has not? Then there are no events.</summary>
    public bool IsProcess => Good is null && Bad is null;

    /// <summary>Of a process: only the bad run has it.</summary>
    public bool IsExtraProcess { get; init; }

    /// <summary>In a word.</summary>
    public string Change => (Good, Bad) switch
    {
        (null, null) => IsExtraProcess ? "extra_process" : "missing_process",
        (null, _) => "extra",
        (_, null) => "missing",
        ({ } one, { } other) => one.Name == other.Name ? "changed" : "replaced",
    };
}
