// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Losses;
using Veil.Core.Text;

namespace Veil.Core.Sinks;

/// <summary>The object that tells a reader of the JSON stream where it has a hole.</summary>
internal static class LossNotice
{
    /// <summary>Bytes that the longest needs: every number has all its digits, and the names are our own.</summary>
    public const int BytesMax = 1024;

    /// <summary>
    /// Appends <c>{"module":…,"evt_type":"lost","cause":…,"count":…,"uids":[{"uid":…,"count":…}],"others":…,"timestamp":…}</c>; without the
    /// two where nobody is known.
    /// </summary>
    public static void Append(ref LineWriter line, LossKey key, LossCount lost)
    {
        string users = lost.Users.Count == 0 ? ""
            : $$""","uids":[{{string.Join(',', lost.Shown.Select(static user => $$"""{"uid":{{user.Uid}},"count":{{user.Count}}}"""))}}],"others":{{lost.Others}}""";
        line.Append(Encoding.UTF8.GetBytes(
            $$"""{"module":"{{key.Module}}","evt_type":"lost","cause":"{{key.Cause}}","count":{{lost.Count}}{{users}},"timestamp":{{lost.TimestampNs}}}"""));
        line.Append((byte)'\n');
    }
}
