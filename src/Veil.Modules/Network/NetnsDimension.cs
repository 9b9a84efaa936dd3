// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Filters;
using Veil.Core.Interop;

namespace Veil.Modules.Network;

/// <summary>The network namespace.</summary>
internal sealed class NetnsDimension : FilterDimension
{
    private const string NamedFolder = "/run/netns/"; // ip-netns(8)
    private const string PidPrefix = "pid:";
    private const uint Least = 0xEFFFFFF0; // the initial namespaces' are there, all others above (include/uapi/linux/nsfs.h)

    public override string Name => "netns";

    public override string ValueName => "NETNS";

    public override string Description =>
        "these network namespaces: an inode number as events show it, pid:PID, self, a name of ip netns, or a path such as " +
        "/proc/PID/ns/net";

    public override string AcceptedForm => "a network namespace: its inode number, pid:PID, self, a name of ip netns, or a path";

    public override string? ParseKeys(string text, List<FilterKey> keys)
    {
        if (uint.TryParse(text, out uint inode))
        {
            if (inode < Least)
                return $"{Quoted(text)} is not the inode number of a namespace; for a process's: {PidPrefix}{text}";
            keys.Add(new(inode, text));
            return null;
        }

        bool isPid = text.StartsWith(PidPrefix, StringComparison.Ordinal);
        if (isPid && !uint.TryParse(text.AsSpan(PidPrefix.Length), out _))
            return $"{Quoted(text)} is not {AcceptedForm}";
        string path = text == "self" ? "/proc/self/ns/net" : isPid ? $"/proc/{text[PidPrefix.Length..]}/ns/net"
            : text.StartsWith('/') ? text : NamedFolder + text;
        if (!LibC.TryGetFacts(path, out var facts))
            return $"{Quoted(text)}: no network namespace there ({path}), or not for us to see (its inode number will do: readlink {path})";
        if (facts.Inode is < Least or > uint.MaxValue)
            return $"{Quoted(text)} is not a namespace";
        keys.Add(new((UInt128)facts.Inode, text));
        return null;
    }

    public override IEnumerable<string> KeyNames() =>
        Directory.Exists(NamedFolder) ? Directory.EnumerateFiles(NamedFolder).Select(Path.GetFileName).OfType<string>() : [];
}
