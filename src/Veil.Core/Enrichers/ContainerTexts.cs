// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using Veil.Core.Cgroups;
using Veil.Core.Containers;
using Veil.Core.Events;

namespace Veil.Core.Enrichers;

/// <summary>The containers of events, by their cgroups. One that lacks a name yet is asked for again after a second.</summary>
/// <param name="tree">The cgroups.</param>
/// <param name="names">The containers.</param>
internal sealed class ContainerTexts(CgroupTree tree, ContainerNames names)
{
    private const int KnownMax = 16_384;
    private const ulong FreshNs = 1_000_000_000;
    private readonly Dictionary<ulong, (ContainerText? Text, ulong AskedNs)> _known = [];

    /// <summary>The container of an event; none where it is in none, or nobody knows.</summary>
    /// <param name="view">The event.</param>
    /// <param name="timestamp">Its time since boot.</param>
    public ContainerText? Find(scoped ref EventView view, ulong timestamp)
    {
        ulong id = view.Schema.HasOrigin ? BinaryPrimitives.ReadUInt64LittleEndian(view.Record[view.Schema.CgroupOffset..]) : 0;
        if (id == 0)
            return null;
        if (_known.TryGetValue(id, out var known) && (known.AskedNs == ulong.MaxValue || timestamp - known.AskedNs < FreshNs))
            return known.Text;
        if (_known.Count >= KnownMax)
            _known.Clear();
        if (tree.Find(id) is not { IsEmpty: false } path)
            return null;
        string text = Encoding.UTF8.GetString(path);
        var container = names.Find(text);
        bool isFinal = container is not null && !names.IsOpen(text);
        _known[id] = (container is null ? null : new ContainerText(container), isFinal ? ulong.MaxValue : timestamp);
        return _known[id].Text;
    }
}
