// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Veil.Bpf.Interop;
using Veil.Core.Interop;
using Veil.Core.Stuck;

namespace Veil.Core.Why;

/// <summary>What the calls that threads wait in stand for, looked at while they do: descriptors, who is at their other end, children, holders of
/// locks.</summary>
internal sealed class WhyPlaces
{
    private const int ShownMax = 2;
    private const int SoughtMax = 64; // in one look
    private const int LocksMax = 64;
    private const int PollMax = 1024;
    private const int TriesMax = 20;
    private const string NotThere = "closed meanwhile";

    private readonly Dictionary<Place, Found> _places = [];
    private readonly Dictionary<(uint Tid, ulong Address), Dictionary<uint, int>> _holders = [];

    /// <summary>The processes that somebody waits for.</summary>
    public IEnumerable<uint> Peers => _places.Values.Select(static found => found.Peer).Where(static peer => peer != 0).Distinct();

    /// <summary>Looks at what is new, and at what could not be found so far.</summary>
    /// <param name="keys">What is waited in, and was.</param>
    /// <param name="hasPeer">Is the other end of interest?</param>
    public void Look(IEnumerable<WhyKey> keys, Func<uint, bool> hasPeer)
    {
        var descriptors = new DescriptorNames();
        var ends = new List<(string Link, uint Pid, bool WantsReader)>();
        var asked = new List<Found>();
        foreach (var key in keys)
        {
            if (!key.IsInWait)
                continue;
            var at = PlaceOf(key);
            if (!_places.TryGetValue(at, out var found))
                _places.Add(at, found = new Found());
            if (found.IsKnown || asked.Count >= SoughtMax)
                continue;
            string call = key.Call;
            if (WhyCalls.IsChild(call))
            {
                LookAtChildren(found, key, call);
                continue;
            }

            LookAtDescriptors(found, key, call, descriptors);
            // What cannot be named now will hardly be later.
            if (!found.IsKnown && ++found.Tries >= TriesMax)
                found.IsKnown = true;
            if (found.IsKnown && found.Fd >= 0 && hasPeer(key.Pid)
                && PeerSearch.LinkOf(key.Tid, found.Fd, found.Link!, key.Peer, descriptors) is { } link)
            {
                ends.Add((link, key.Pid, WhyCalls.IsWrite(call)));
                asked.Add(found);
            }
        }

        if (ends.Count == 0)
            return;
        uint[] owners = PeerSearch.Owners(ends);
        for (int i = 0; i < owners.Length; i++)
            asked[i].Peer = owners[i];
    }

    /// <summary>Asks who holds the locks that threads wait for at this moment.</summary>
    public void LookAtLocks(IEnumerable<WhyKey> waits)
    {
        foreach (var key in waits.Where(static key => key.IsInWait && WhyCalls.IsLock(key.Call)).Take(LocksMax))
        {
            var wait = LockHolders.OfThread(key.Tid, key.Arch);
            var at = (key.Tid, key.Argument);
            if (!_holders.TryGetValue(at, out var holders))
                _holders.Add(at, holders = []);
            uint holder = wait is { } known && known.Address == key.Argument ? known.HolderTid : 0;
            holders[holder] = holders.GetValueOrDefault(holder) + 1;
        }
    }

    /// <summary>A sum of time with what it was for. One of a lock that several had becomes several: by how often each was seen to.</summary>
    public IEnumerable<WhyRow> Rows(WhyKey key, ulong ns, ulong times)
    {
        var row = new WhyRow(key, ns, times);
        if (!key.IsInWait)
            return [row];
        if (_holders.TryGetValue((key.Tid, key.Argument), out var holders))
            return Split(row, holders);
        return _places.TryGetValue(PlaceOf(key), out var found) ? [row with { Object = found.Name, Peer = found.Peer }] : [row];
    }

    private static List<WhyRow> Split(WhyRow row, Dictionary<uint, int> holders)
    {
        var rows = new List<WhyRow>();
        ulong left = row.Ns;
        int looks = holders.Values.Sum();
        foreach (var (holder, seen) in holders)
        {
            ulong part = (ulong)((UInt128)row.Ns * (uint)seen / (uint)looks);
            left -= part;
            rows.Add(row with { Ns = part, Holder = holder });
        }

        rows[0] = rows[0] with { Ns = rows[0].Ns + left };
        return rows;
    }

    // Threads share what they wait for; a list of descriptors is each one's own.
    private static Place PlaceOf(in WhyKey key) => new(
        key.Pid, key.Number, key.ArchNumber, key.Argument, key.Inode, key.Peer, WhyCalls.IsPoll(key.Call) && key.Other != 1 ? key.Tid : 0, key.Other);

    private static void LookAtChildren(Found found, in WhyKey key, string call)
    {
        if (call != "vfork" && call != "waitid" && (int)key.Argument > 0)
        {
            found.Peer = (uint)key.Argument;
            found.Name = NameOf(found.Peer);
            found.IsKnown = true;
            return;
        }

        foreach (string word in (KernelFile.Text($"/proc/{Text(key.Pid)}/task/{Text(key.Tid)}/children") ?? "")
            .Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!uint.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out uint child) || !found.Children.Add(child))
                continue;
            string name = NameOf(child) ?? "?";
            // Of many none is the one that is waited for.
            found.Peer = found.Children.Count == 1 ? child : 0;
            if (found.ChildNames.Count <= ShownMax)
                found.ChildNames.Add(name);
        }

        found.Name = found.ChildNames.Count == 0 ? null
            : string.Join(", ", found.ChildNames.Take(ShownMax)) + (found.ChildNames.Count > ShownMax ? " and others" : "");
    }

    private static void LookAtDescriptors(Found found, in WhyKey key, string call, DescriptorNames descriptors)
    {
        if (WhyCalls.IsEpoll(call) && key.Inode != 0)
            Watch(found, key, FdsOfEpoll(key.Tid, (int)key.Argument), descriptors);
        else if (WhyCalls.IsPoll(call) && key.Inode == 0)
            Watch(found, key, FdsOfPoll(key), descriptors);
        else if (key.Inode != 0)
            LookAtDescriptor(found, key, (int)key.Argument, descriptors);
        else
            found.IsKnown = WhyCalls.IsSelect(call) || WhyCalls.IsSleep(call) || WhyCalls.IsLock(call);
    }

    private static void LookAtDescriptor(Found found, in WhyKey key, int fd, DescriptorNames descriptors)
    {
        // Another file may have the number by now.
        if (LibC.Identity(Encoding.UTF8.GetBytes($"/proc/{Text(key.Tid)}/fd/{fd}\0")).Inode != key.Inode)
        {
            found.Name = $"fd {fd}, {NotThere}";
            return;
        }

        found.Link = LinkOf(key.Tid, fd, descriptors);
        found.Fd = fd;
        found.Name = $"fd {fd}, {Plain(found.Link)}";
        found.IsKnown = true;
    }

    private static string LinkOf(uint tid, int fd, DescriptorNames descriptors) =>
        descriptors.SocketOf(tid, fd)?.Text ?? DescriptorNames.NameOf(tid, fd) ?? NotThere;

    private static void Watch(Found found, in WhyKey key, List<int>? fds, DescriptorNames descriptors)
    {
        if (fds is null)
            return;
        uint tid = key.Tid;
        var links = fds.Take(ShownMax * 4).Select(fd => (Fd: fd, Link: LinkOf(tid, fd, descriptors))).ToList();
        // Which it uses to wake itself up say nothing.
        var outside = links.Where(static one => !one.Link.StartsWith("anon_inode:", StringComparison.Ordinal)).ToList();
        if (fds.Count == links.Count && outside.Count == 1)
            (found.Fd, found.Link) = outside[0];
        var shown = (outside.Count > 0 ? outside : links).Take(ShownMax).Select(static one => $"fd {one.Fd}, {Plain(one.Link)}").ToList();
        found.Name = fds.Count switch
        {
            0 => "no descriptor",
            _ when fds.Count == shown.Count => string.Join("; ", shown),
            _ => $"any of {fds.Count} descriptors ({string.Join("; ", shown)}; …)",
        };
        found.IsKnown = true;
    }

    // tfd:        5 events:       19 data: …
    private static List<int> FdsOfEpoll(uint tid, int epoll)
    {
        var fds = new List<int>();
        foreach (string line in KernelFile.Lines($"/proc/{Text(tid)}/fdinfo/{epoll}"))
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is ["tfd:", var word, ..]
                && int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int fd))
                fds.Add(fd);
        }

        return fds;
    }

    // While it is in that call: 7 0x7ffd… 0x2 …
    private static List<int>? FdsOfPoll(in WhyKey key)
    {
        const int entryBytes = 8; // struct pollfd
        string[] words = (KernelFile.Lines($"/proc/{Text(key.Tid)}/syscall").FirstOrDefault() ?? "").Split(' ');
        if (words.Length < 3 || words[0] != key.Number.ToString(CultureInfo.InvariantCulture)
            || words[1] != "0x" + key.Argument.ToString("x", CultureInfo.InvariantCulture) || key.Other > PollMax)
            return null;
        byte[] entries = new byte[key.Other * entryBytes];
        if (ProcessMemory.Read(key.Tid, key.Argument, entries) != entries.Length)
            return null;
        return [.. Enumerable.Range(0, (int)key.Other).Select(at => BinaryPrimitives.ReadInt32LittleEndian(entries.AsSpan(at * entryBytes)))
            .Where(static fd => fd >= 0)];
    }

    // TCP:[127.0.0.1:1->127.0.0.1:2] as people say it.
    private static string Plain(string link)
    {
        int from = link.IndexOf(":[", StringComparison.Ordinal);
        if (from < 0 || !link.EndsWith(']') || link[..from] is not ("TCP" or "TCPv6" or "UDP" or "UDPv6" or "UNIX"))
            return link;
        string text = link[(from + 2)..^1];
        return link[..from] == "UNIX" ? text.IndexOf(',', StringComparison.Ordinal) is > 0 and var comma ? $"Unix socket {text[(comma + 1)..].Trim('"')}"
            : "Unix socket" : $"{link[..from]} {text.Replace("->", " -> ", StringComparison.Ordinal)}";
    }

    private static string? NameOf(uint pid) => KernelFile.Text($"/proc/{Text(pid)}/comm");

    private static string Text(uint id) => id.ToString(CultureInfo.InvariantCulture);

    private readonly record struct Place(
        uint Pid, int Number, uint Arch, ulong Argument, ulong Inode, ulong Peer, uint Tid, uint Other);

    private sealed class Found
    {
        public bool IsKnown { get; set; }

        public int Tries { get; set; }

        public string? Name { get; set; }

        // The only descriptor that is waited for.
        public int Fd { get; set; } = -1;

        public string? Link { get; set; }

        public uint Peer { get; set; }

        public HashSet<uint> Children { get; } = [];

        public SortedSet<string> ChildNames { get; } = new(StringComparer.Ordinal);
    }
}
