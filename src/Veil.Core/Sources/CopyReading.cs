// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Events;
using Veil.Core.Stacks;

namespace Veil.Core.Sources;

/// <summary>Gives events the ids of their stacks, where the kernel gave them those of copies.</summary>
/// <param name="stacks">Knows both.</param>
internal sealed class CopyReading(CopiedStacks stacks)
{
    private const string UserStack = "veil_ustack_t";

    private int[]?[] _places = [];
    private byte[] _record = [];

    /// <summary>Takes a copy.</summary>
    public void Take(ReadOnlySpan<byte> record) => stacks.Take(record);

    /// <summary>The record of an event with the stacks that it has. Valid until the next.</summary>
    public ReadOnlySpan<byte> WithStacks(ReadOnlySpan<byte> record, EventSchema schema)
    {
        int[] places = PlacesOf(schema);
        if (places.Length == 0 || record.Length < schema.SizeBytes)
            return record;
        if (_record.Length < record.Length)
            _record = new byte[record.Length * 2];
        record.CopyTo(_record);
        foreach (int place in places)
        {
            var id = _record.AsSpan(place, sizeof(ulong));
            BinaryPrimitives.WriteUInt64LittleEndian(id, stacks.IdOf(BinaryPrimitives.ReadUInt64LittleEndian(id)));
        }

        return _record.AsSpan(0, record.Length);
    }

    private int[] PlacesOf(EventSchema schema)
    {
        if (_places.Length <= schema.Index)
            Array.Resize(ref _places, schema.Index + 1);
        return _places[schema.Index] ??=
        [
            .. schema.Layout.Members.Where(IsUserStack).Select(static member => member.Offset),
            .. schema.Origin?.Members.Where(IsUserStack).Select(member => schema.OriginOffset + member.Offset) ?? [],
        ];
    }

    private static bool IsUserStack(EventMember member) => member.Type == UserStack;
}
