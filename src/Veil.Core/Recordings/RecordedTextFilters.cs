// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Veil.Core.Cgroups;
using Veil.Core.Events;
using Veil.Core.Filters;

namespace Veil.Core.Recordings;

/// <summary>A part of a task's name, of either side of an event.</summary>
internal sealed class RecordedNameFilter(FilterExpression filter, IEnumerable<EventMember> places) : TextFilter(filter)
{
    private readonly (int Offset, int Size)[] _places = [.. places.Select(static place => (place.Offset, place.Size))];

    protected override bool Matches(ref EventView view, string text)
    {
        foreach (var (offset, size) in _places)
        {
            var name = view.Record.Slice(offset, size);
            int end = name.IndexOf((byte)0);
            if (Holds(end < 0 ? name : name[..end], text, whole: false))
                return true;
        }

        return false;
    }
}

/// <summary>A user by id, or by the name that it had then.</summary>
internal sealed class RecordedUserFilter(FilterExpression filter, EventMember place, RecordedNames names) : TextFilter(filter)
{
    protected override bool Matches(ref EventView view, string text)
    {
        uint uid = BinaryPrimitives.ReadUInt32LittleEndian(view.Record[place.Offset..]);
        return uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint wanted) ? wanted == uid
            : Holds(names.User(uid), text, whole: true);
    }
}

/// <summary>A cgroup and those below it, by the path that it had then, its end, or its id; a container or a pod by name.</summary>
internal sealed class RecordedScopeFilter : TextFilter
{
    private readonly RecordedNames _names;

    public RecordedScopeFilter(FilterExpression filter, RecordedNames names)
        : base(filter) => _names = names;

    protected override bool Matches(ref EventView view, string text)
    {
        ulong id = BinaryPrimitives.ReadUInt64LittleEndian(view.Record[view.Schema.CgroupOffset..]);
        if (Flag != "--" + CgroupDimension.FlagName)
            return _names.Container(ref view, 0) is { } container && IsOf(container, text);
        if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong wanted))
            return wanted == id;
        string path = Encoding.UTF8.GetString(CgroupTree.Own.Find(id)) + "/";
        string end = text.TrimEnd('/') + "/";
        return text.StartsWith('/') ? path.StartsWith(end, StringComparison.Ordinal) : path.Contains("/" + end, StringComparison.Ordinal);
    }

    private bool IsOf(ContainerText container, string text)
    {
        if (Flag == "--" + ContainerDimension.FlagName)
            return Holds(container.Name, text, whole: true);
        string[] words = text.Split('/');
        return Holds(container.Pod, words[^1], whole: true) && (words.Length == 1 || Holds(container.PodNamespace, words[0], whole: true));
    }
}
