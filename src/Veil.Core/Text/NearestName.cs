namespace Veil.Core.Text;

/// <summary>Suggestions for a name that does not exist.</summary>
public static class NearestName
{
    /// <summary>Finds the names that a user may have meant, best first.</summary>
    /// <param name="given">What was written.</param>
    /// <param name="candidates">What there is.</param>
    /// <param name="max">How many at most.</param>
    /// <returns>The names; empty where nothing is near.</returns>
    public static IReadOnlyList<string> Find(string given, IEnumerable<string> candidates, int max = 3)
    {
        string wanted = given.ToLowerInvariant();
        // One slip for a short word, more for a longer one; beyond that it is another word.
        int bound = Math.Clamp(wanted.Length / 3, 1, 3);
        var found = new List<(int Distance, string Name)>();
        foreach (string candidate in candidates)
        {
            string name = candidate.ToLowerInvariant();
            int distance = name == wanted ? 0 : Distance(wanted, name, bound);
            if (distance > bound && wanted.Length >= 3 && name.StartsWith(wanted, StringComparison.Ordinal))
                distance = bound;
            if (distance <= bound && distance < Math.Max(wanted.Length, 1))
                found.Add((distance, candidate));
        }

        found.Sort(static (a, b) => a.Distance != b.Distance ? a.Distance.CompareTo(b.Distance) : string.CompareOrdinal(a.Name, b.Name));
        return [.. found.Take(max).Select(static entry => entry.Name)];
    }

    // Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment), in three rows.
    private static int Distance(string a, string b, int bound)
    {
        if (Math.Abs(a.Length - b.Length) > bound)
            return bound + 1;
        var before = new int[b.Length + 1];
        var previous = new int[b.Length + 1];
        var current = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++)
            previous[j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            current[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int cost = a[i - 1] == b[j - 1] ? 0 : 1;
                current[j] = Math.Min(Math.Min(current[j - 1], previous[j]) + 1, previous[j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    current[j] = Math.Min(current[j], before[j - 2] + 1);
            }

            (before, previous, current) = (previous, current, before);
        }

        return previous[b.Length];
    }
}
