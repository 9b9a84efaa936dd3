// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.CompilerServices;
using Veil.Bpf;

namespace Veil.Core.Stacks;

/// <summary>The map in which programs that count keep stacks: <c>veil_stacks</c> of <c>bpf/veil/stack.bpf.h</c>.</summary>
public static class StackMap
{
    /// <summary>Its name.</summary>
    public const string Name = "veil_stacks";

    /// <summary>Takes the stacks of these ids into the table, as far as they are not known yet.</summary>
    /// <param name="bpfObject">The object that has the map.</param>
    /// <param name="ids">The ids; 0 is none.</param>
    /// <exception cref="BpfException">The kernel refused.</exception>
    public static void Read(BpfObject bpfObject, IEnumerable<ulong> ids)
    {
        ArgumentNullException.ThrowIfNull(bpfObject);
        ArgumentNullException.ThrowIfNull(ids);
        BpfHashMap<ulong, Value>? map = null;
        foreach (ulong id in ids)
        {
            if (id == 0 || StackTable.Own.Find(id) is not null)
                continue;
            map ??= new(bpfObject.Map(Name));
            if (map.Value.TryGet(id, out var value))
                StackTable.Own.Take(value);
        }
    }

    // struct veil_stack
    [InlineArray(TakenStack.FramesOffset + (TakenStack.FramesMax * sizeof(ulong)))]
    private struct Value
    {
        private byte _first;
    }
}
