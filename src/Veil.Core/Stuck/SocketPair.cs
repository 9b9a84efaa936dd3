// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Stuck;

/// <summary>How the other end of a connection is listed, if it is on this machine.</summary>
internal static class SocketPair
{
    private const string Mapped = "[::ffff:";

    /// <summary>The texts that it can have in a <see cref="SocketTable"/>, the likeliest first.</summary>
    /// <param name="text">That of this end, such as <c>TCP:[127.0.0.1:48802->127.0.0.1:32915]</c>.</param>
    public static IEnumerable<string> OtherTexts(string text)
    {
        int open = text.IndexOf(":[", StringComparison.Ordinal), arrow = text.IndexOf("->", StringComparison.Ordinal);
        if (open < 0 || arrow < open || text[^1] != ']' || text[..3] is not ("TCP" or "UDP"))
            yield break;
        string protocol = text[..3], local = text[(open + 2)..arrow], remote = text[(arrow + 2)..^1];
        foreach (var (name, from, to) in Families(protocol, remote, local))
            yield return $"{name}:[{from}->{to}]";
        // One that is bound and not connected, of this machine for sure where both ends have its address.
        if (protocol != "UDP" || HostOf(local) != HostOf(remote))
            yield break;
        foreach (var (name, from, _) in Families(protocol, remote, local))
            yield return $"{name}:[{from}]";
        string port = remote[(remote.LastIndexOf(':') + 1)..];
        yield return $"UDP:[0.0.0.0:{port}]";
        yield return $"UDPv6:[[::]:{port}]";
    }

    // An address of IPv4 may be listed as one of IPv6, at either end.
    private static IEnumerable<(string Name, string From, string To)> Families(string protocol, string from, string to)
    {
        if (IsMapped(from) || !from.StartsWith('['))
        {
            string plainFrom = Plain(from), plainTo = Plain(to);
            yield return (protocol, plainFrom, plainTo);
            yield return (protocol + "v6", ToMapped(plainFrom), ToMapped(plainTo));
        }
        else
        {
            yield return (protocol + "v6", from, to);
        }
    }

    private static bool IsMapped(string end) =>
        end.StartsWith(Mapped, StringComparison.Ordinal) && end.Contains('.', StringComparison.Ordinal);

    private static string Plain(string end) => IsMapped(end) ? end[Mapped.Length..].Replace("]", "", StringComparison.Ordinal) : end;

    private static string ToMapped(string end) => $"{Mapped}{HostOf(end)}]{end[end.LastIndexOf(':')..]}";

    private static string HostOf(string end) => end[..end.LastIndexOf(':')];
}
