// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;

namespace Veil.Core.Losses;

/// <summary>Events that were lost, and whose they were.</summary>
/// <param name="Count">All of them.</param>
/// <param name="Users">Those of users that are known, most first. The rest is of others, or of nobody that is known.</param>
public readonly record struct LossCount(ulong Count, IReadOnlyList<UserLoss> Users)
{
    /// <summary>Users that are named; who loses less is among the others.</summary>
    public const int UsersShown = 8;

    /// <summary>When it was found out, in nanoseconds since boot.</summary>
    public long TimestampNs { get; init; }

    /// <summary>Those that are named.</summary>
    public IEnumerable<UserLoss> Shown => Users.Take(UsersShown);

    /// <summary>Events of all who are not named.</summary>
    public ulong Others
    {
        get
        {
            ulong others = Count;
            for (int i = 0; i < Math.Min(Users.Count, UsersShown); i++)
                others -= Users[i].Count;
            return others;
        }
    }

    /// <summary>In words, such as <c> (UID 1000: 523, others: 2)</c>; nothing where nobody is known.</summary>
    public string UsersText
    {
        get
        {
            if (Users.Count == 0)
                return "";
            var text = new StringBuilder(" (");
            foreach (var user in Shown)
                text.Append(CultureInfo.InvariantCulture, $"{(text.Length > 2 ? ", " : "")}UID {user.Uid}: {user.Count}");
            if (Others > 0)
                text.Append(CultureInfo.InvariantCulture, $", others: {Others}");
            return text.Append(')').ToString();
        }
    }

    /// <summary>Both together.</summary>
    internal LossCount Plus(ulong count, IReadOnlyList<UserLoss> users)
    {
        if (users.Count == 0)
            return this with { Count = Count + count };
        var sums = Users.ToDictionary(static user => user.Uid, static user => user.Count);
        foreach (var user in users)
            sums[user.Uid] = sums.GetValueOrDefault(user.Uid) + user.Count;
        return new LossCount(
            Count + count,
            [.. sums.Select(static user => new UserLoss(user.Key, user.Value)).OrderByDescending(static user => user.Count)
            .ThenBy(static user => user.Uid)]);
    }
}
