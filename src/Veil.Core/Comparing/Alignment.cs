// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Core.Comparing;

/// <summary>
/// Which events of two runs stand for each other, so that one more or less makes nothing after it different: the greedy algorithm of
/// Myers, "An O(ND) Difference Algorithm" (1986), over <see cref="RunEvent.Anchor"/>. After <see cref="EditsMax"/> edits it goes on from
/// the furthest place that it has reached, or, where little was equal up to there, from the next event that both runs have once. So memory
/// is bounded, and time is linear in what is equal.
/// </summary>
internal sealed class Alignment
{
    /// <summary>Edits that are looked ahead.</summary>
    public const int EditsMax = 512;

    private readonly int[] _furthest = new int[(2 * EditsMax) + 3];
    private readonly int[] _trace = new int[(EditsMax + 1) * (EditsMax + 1)];

    /// <summary>Finds the runs of events with equal anchors: where each begins in both, and how long it is. They are in order and do not
    /// overlap.</summary>
    public List<(int Good, int Bad, int Length)> Find(List<RunEvent> good, List<RunEvent> bad)
    {
        var runs = new List<(int Good, int Bad, int Length)>();
        ReadOnlySpan<RunEvent> one = CollectionsMarshal.AsSpan(good), other = CollectionsMarshal.AsSpan(bad);
        int doneOne = 0, doneOther = 0;
        Queue<(int Good, int Bad)>? marks = null;
        while (doneOne < one.Length && doneOther < other.Length)
        {
            int found = runs.Count;
            var (x, y) = Step(one[doneOne..], other[doneOther..], runs, doneOne, doneOther);
            bool isEnd = doneOne + x == one.Length && doneOther + y == other.Length;
            if (!isEnd && runs.Skip(found).Sum(static run => run.Length) < EditsMax)
            {
                // The next landmark, where there is one: what was found before it stays if it lies before it.
                marks ??= Landmarks(one, other);
                while (marks.TryPeek(out var passed) && (passed.Good < doneOne || passed.Bad < doneOther))
                    marks.Dequeue();
                if (marks.TryPeek(out var mark))
                {
                    runs.RemoveRange(found, runs.Count - found);
                    (x, y) = (mark.Good - doneOne, mark.Bad - doneOther);
                    if (x == 0 && y == 0)
                    {
                        marks.Dequeue();
                        int equal = CommonPrefix(one[doneOne..], other[doneOther..]);
                        runs.Add((doneOne, doneOther, equal));
                        (x, y) = (equal, equal);
                    }
                }
            }

            doneOne += x;
            doneOther += y;
        }

        return runs;
    }

    // Events that both have exactly once, by how far they are from the beginning.
    private static Queue<(int Good, int Bad)> Landmarks(ReadOnlySpan<RunEvent> one, ReadOnlySpan<RunEvent> other)
    {
        const int several = -2;
        var places = new Dictionary<int, (int Good, int Bad)>();
        for (int at = 0; at < one.Length; at++)
            places[one[at].Anchor] = places.ContainsKey(one[at].Anchor) ? (several, -1) : (at, -1);
        for (int at = 0; at < other.Length; at++)
        {
            if (places.TryGetValue(other[at].Anchor, out var place))
                places[other[at].Anchor] = place.Bad == -1 ? (place.Good, at) : (several, at);
        }

        return new(places.Values.Where(static place => place is { Good: >= 0, Bad: >= 0 }).OrderBy(static place => place.Good + place.Bad));
    }

    private (int X, int Y) Step(
        ReadOnlySpan<RunEvent> one, ReadOnlySpan<RunEvent> other, List<(int Good, int Bad, int Length)> runs, int fromOne, int fromOther)
    {
        const int center = EditsMax + 1;
        Array.Fill(_furthest, int.MinValue / 2);
        _furthest[center + 1] = 0;
        for (int edits = 0; ; edits++)
        {
            int best = int.MinValue, bestDiagonal = 0;
            bool isEnd = false;
            for (int diagonal = -edits; diagonal <= edits && !isEnd; diagonal += 2)
            {
                int x = From(diagonal, edits, center, out _), y = x - diagonal;
                if (x < 0 || x > one.Length || y < 0 || y > other.Length)
                {
                    _furthest[center + diagonal] = int.MinValue / 2;
                    continue;
                }

                int equal = CommonPrefix(one[x..], other[y..]);
                x += equal;
                y += equal;
                _furthest[center + diagonal] = x;
                isEnd = x == one.Length && y == other.Length;
                if (x + y > best || isEnd || (x + y == best && Math.Abs(diagonal) < Math.Abs(bestDiagonal)))
                    (best, bestDiagonal) = (x + y, diagonal);
            }

            // A row of the triangle: what each diagonal came to with so many edits.
            for (int diagonal = -edits; diagonal <= edits; diagonal += 2)
                _trace[Row(edits) + ((diagonal + edits) / 2)] = _furthest[center + diagonal];
            if (!isEnd && edits < EditsMax)
                continue;
            int reached = _furthest[center + bestDiagonal];
            Collect(edits, bestDiagonal, runs, fromOne, fromOther);
            return (reached, reached - bestDiagonal);
        }
    }

    // Where a diagonal begins, and from which one it is reached.
    private int From(int diagonal, int edits, int center, out int before)
    {
        bool isDown = diagonal == -edits || (diagonal != edits && _furthest[center + diagonal - 1] < _furthest[center + diagonal + 1]);
        before = isDown ? diagonal + 1 : diagonal - 1;
        return isDown ? _furthest[center + before] : _furthest[center + before] + 1;
    }

    private void Collect(int edits, int diagonal, List<(int Good, int Bad, int Length)> runs, int fromOne, int fromOther)
    {
        int first = runs.Count;
        for (; edits >= 0; edits--)
        {
            int end = At(edits, diagonal), begin = 0, before = 0;
            if (edits > 0)
            {
                int left = At(edits - 1, diagonal - 1), right = At(edits - 1, diagonal + 1);
                bool isDown = diagonal == -edits || (diagonal != edits && left < right);
                before = isDown ? diagonal + 1 : diagonal - 1;
                begin = isDown ? right : left + 1;
            }

            if (end > begin)
                runs.Add((fromOne + begin, fromOther + begin - diagonal, end - begin));
            diagonal = before;
        }

        runs.Reverse(first, runs.Count - first);
    }

    private int At(int edits, int diagonal) =>
        diagonal < -edits || diagonal > edits ? int.MinValue / 2 : _trace[Row(edits) + ((diagonal + edits) / 2)];

    private static int Row(int edits) => edits * (edits + 1) / 2;

    private static int CommonPrefix(ReadOnlySpan<RunEvent> one, ReadOnlySpan<RunEvent> other)
    {
        int most = Math.Min(one.Length, other.Length), equal = 0;
        while (equal < most && one[equal].Anchor == other[equal].Anchor)
            equal++;
        return equal;
    }
}
