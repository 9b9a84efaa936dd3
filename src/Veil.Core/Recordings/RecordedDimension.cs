// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Core.Filters;

namespace Veil.Core.Recordings;

/// <summary>A dimension whose values mean what they meant where a trace was recorded: they are not looked up here.</summary>
internal sealed class RecordedDimension(FilterDimension live) : FilterDimension
{
    /// <summary>Those that a live trace asks its machine about.</summary>
    private static readonly string[] s_ofMachine =
        ["uid", "netns", "cpu", CgroupDimension.FlagName, ContainerDimension.FlagName, PodDimension.FlagName];

    public override string Name => live.Name;

    public override string ValueName => live.ValueName;

    public override string Description => live.Description;

    public override string AcceptedForm => live.AcceptedForm;

    /// <summary>The dimension to take.</summary>
    public static FilterDimension Of(FilterDimension live) => s_ofMachine.Contains(live.Name) ? new RecordedDimension(live) : live;

    public override string? ParseKeys(string text, List<FilterKey> keys)
    {
        if (Name == "cpu")
            return live.ParseKeys(text, keys);
        UInt128 bits = ContainerDimension.KeyOf(text);
        if (Name == "netns")
        {
            if (!uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint inode))
                return $"{Quoted(text)}: of a recording only the inode number of a network namespace is known";
            bits = inode;
        }

        keys.Add(new(bits, text));
        return null;
    }
}
