// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Text;

/// <summary>Suggestions for a name that does not exist, for "did you mean" in error messages.</summary>
public static class NearestName
{
    // A guess from fewer letters says more about the list of names than about what was typed.
    private const int MinPrefixLength = 2;
    private const int MinSubstringLength = 4;

    // A small part of a long name is not near it.
    private const int MaxTimesLonger = 3;

    // How a candidate was found, best first: a single typing slip beats a word that was cut short, which beats two slips.
    private const int SameLetters = 0;
    private const int OneEdit = 1;
    private const int Prefix = 2;
    private const int TwoEdits = 3;
    private const int Substring = 4;
    private const int MoreEdits = 5;
    private const int NotNear = int.MaxValue;

    /// <summary>Finds the candidates nearest to a given name.</summary>
    /// <param name="given">What the user typed; any length.</param>
    /// <param name="candidates">The names that exist. One that occurs twice is suggested once.</param>
    /// <param name="max">How many suggestions to return at most.</param>
    /// <returns>
    /// Best first: the name in another case (or with the other of <c>-</c> and <c>_</c>), then one slip of the keyboard
    /// (a letter missing, added, wrong, or two swapped), then names that begin with it, and so on. Empty when nothing is near.
    /// </returns>
    public static IReadOnlyList<string> Find(string given, IEnumerable<string> candidates, int max = 3)
    {
        ArgumentNullException.ThrowIfNull(given);
        ArgumentNullException.ThrowIfNull(candidates);
        if (given.Length == 0 || max <= 0)
            return [];

        string folded = Fold(given);
        int bound = MaxEdits(folded.Length);
        var rows = new Rows();
        var found = new List<Match>();
        foreach (string candidate in candidates)
        {
            // It is wrong for another reason, and would be no news.
            if (candidate == given)
                continue;
            Match match = Compare(folded, candidate, bound, rows);
            if (match.Rank != NotNear)
                found.Add(match);
        }

        found.Sort(Match.Order);
        var names = new List<string>(Math.Min(max, found.Count));
        for (int i = 0; i < found.Count && names.Count < max; i++)
        {
            if (i == 0 || found[i].Name != found[i - 1].Name)
                names.Add(found[i].Name);
        }

        return names;
    }

    /// <summary>The end of a message about a name that does not exist: <c>; did you mean 'x' or 'y'?</c>, or nothing where none is near.
    /// Names of files, users and containers may hold anything, and are escaped.</summary>
    /// <param name="given">What the user typed.</param>
    /// <param name="candidates">The names that exist.</param>
    /// <param name="max">How many suggestions to show at most.</param>
    public static string Hint(string given, IEnumerable<string> candidates, int max = 1) => Find(given, candidates, max) is { Count: > 0 } near
        ? $"; did you mean {string.Join(" or ", near.Select(static name => $"'{Escaping.ForMessage(name)}'"))}?" : "";

    private static Match Compare(string folded, string candidate, int bound, Rows rows)
    {
        string other = Fold(candidate);
        int excess = Math.Abs(other.Length - folded.Length);
        if (other == folded)
            return new Match(candidate, SameLetters, excess);

        int edits = excess <= bound ? Edits(folded, other, bound, rows) : bound + 1;
        if (edits == 1 && bound >= 1)
            return new Match(candidate, OneEdit, excess);
        if (folded.Length >= MinPrefixLength && other.StartsWith(folded, StringComparison.Ordinal))
            return new Match(candidate, Prefix, excess);
        if (edits == 2 && bound >= 2)
            return new Match(candidate, TwoEdits, excess);
        if (folded.Length >= MinSubstringLength && folded.Length * MaxTimesLonger >= other.Length
            && other.Contains(folded, StringComparison.Ordinal))
            return new Match(candidate, Substring, excess);
        return new Match(candidate, edits <= bound ? MoreEdits : NotNear, excess);
    }

    // About a third of the letters may be wrong, so that short names do not suggest each other at random.
    private static int MaxEdits(int length) => length switch
    {
        <= 2 => 0,
        <= 5 => 1,
        <= 8 => 2,
        _ => 3,
    };

    // Flags are written with '-', kernel names with '_': mixing them up is no misspelling.
    private static string Fold(string name) => name.ToLowerInvariant().Replace('-', '_');

    /// <summary>
    /// The optimal string alignment distance (Damerau-Levenshtein where no part is edited twice) of two strings, or
    /// anything above <paramref name="bound"/> once it is known to exceed it.
    /// </summary>
    /// <remarks>A swap looks back two rows, so three rows are all that is kept.</remarks>
    private static int Edits(string a, string b, int bound, Rows rows)
    {
        rows.Reset(b.Length + 1);
        for (int i = 1; i <= a.Length; i++)
        {
            rows.Next();
            int[] current = rows.Current;
            int[] previous = rows.Previous;
            current[0] = i;
            int least = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int cost = a[i - 1] == b[j - 1] ? 0 : 1;
                int edits = Math.Min(Math.Min(previous[j] + 1, current[j - 1] + 1), previous[j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    edits = Math.Min(edits, rows.BeforePrevious[j - 2] + 1);
                current[j] = edits;
                least = Math.Min(least, edits);
            }

            // A swap can continue from the row before, at one more than its value: that is no less than this row's least.
            if (least > bound)
                return least;
        }

        return rows.Current[b.Length];
    }

    /// <summary>The three rows of the distance matrix in use, kept from one candidate to the next.</summary>
    private sealed class Rows
    {
        public int[] Current { get; private set; } = [];

        public int[] Previous { get; private set; } = [];

        public int[] BeforePrevious { get; private set; } = [];

        /// <summary>Makes <see cref="Current"/> the row of the empty prefix.</summary>
        public void Reset(int length)
        {
            if (Current.Length < length)
            {
                Current = new int[length];
                Previous = new int[length];
                BeforePrevious = new int[length];
            }

            for (int j = 0; j < length; j++)
                Current[j] = j;
        }

        /// <summary>Moves down by one row; the new <see cref="Current"/> holds stale values.</summary>
        public void Next() => (BeforePrevious, Previous, Current) = (Previous, Current, BeforePrevious);
    }

    private readonly record struct Match(string Name, int Rank, int Excess)
    {
        /// <summary>By rank, then by how much longer or shorter the name is, then by name so that answers are repeatable.</summary>
        public static int Order(Match left, Match right)
        {
            int order = left.Rank.CompareTo(right.Rank);
            if (order == 0)
                order = left.Excess.CompareTo(right.Excess);
            return order != 0 ? order : string.CompareOrdinal(left.Name, right.Name);
        }
    }
}
