// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;

namespace Veil.Bpf.Tests;

/// <summary>Writes BTF by hand, type by type; each method returns the id of the new type.</summary>
internal sealed class BtfBuilder
{
    private readonly List<byte> _types = [];
    private readonly List<byte> _strings = [0];
    private int _count;

    internal int Integer(string name, int sizeBytes, uint encoding = 0) =>
        Add(BtfKind.Integer, name, 0, (uint)sizeBytes, [encoding << 24 | (uint)(sizeBytes * 8)]);

    internal int Reference(BtfKind kind, string name, int typeId) => Add(kind, name, 0, (uint)typeId, []);

    internal int Array(int elementType, uint count) => Add(BtfKind.Array, "", 0, 0, [(uint)elementType, 1, count]);

    internal int Struct(string name, int sizeBytes, params (string Name, int TypeId, uint Placement)[] members) =>
        Composite(BtfKind.Struct, name, sizeBytes, bitFields: false, members);

    internal int Composite(
        BtfKind kind, string name, int sizeBytes, bool bitFields, params (string Name, int TypeId, uint Placement)[] members) =>
        Add(kind, name, (uint)members.Length | (bitFields ? 1u << 31 : 0), (uint)sizeBytes,
            [.. members.SelectMany(m => new[] { Text(m.Name), (uint)m.TypeId, m.Placement })]);

    internal int Enum(string name, bool signed, params (string Name, int Value)[] values) =>
        Add(BtfKind.Enum, name, (uint)values.Length | (signed ? 1u << 31 : 0), 4,
            [.. values.SelectMany(v => new[] { Text(v.Name), (uint)v.Value })]);

    internal int Enum64(string name, bool signed, params (string Name, long Value)[] values) =>
        Add(BtfKind.Enum64, name, (uint)values.Length | (signed ? 1u << 31 : 0), 8,
            [.. values.SelectMany(v => new[] { Text(v.Name), (uint)v.Value, (uint)(v.Value >> 32) })]);

    internal int Variable(string name, int typeId, uint linkage = 1) => Add(BtfKind.Variable, name, 0, (uint)typeId, [linkage]);

    internal int Section(string name, int sizeBytes, params (int TypeId, uint Offset, uint Size)[] variables) =>
        Add(BtfKind.DataSection, name, (uint)variables.Length, (uint)sizeBytes,
            [.. variables.SelectMany(v => new[] { (uint)v.TypeId, v.Offset, v.Size })]);

    internal byte[] Build()
    {
        byte[] raw = new byte[24 + _types.Count + _strings.Count];
        BinaryPrimitives.WriteUInt16LittleEndian(raw, 0xEB9F);
        raw[2] = 1;
        Word(raw, 4, 24);
        Word(raw, 8, 0);
        Word(raw, 12, (uint)_types.Count);
        Word(raw, 16, (uint)_types.Count);
        Word(raw, 20, (uint)_strings.Count);
        _types.CopyTo(raw, 24);
        _strings.CopyTo(raw, 24 + _types.Count);
        return raw;
    }

    internal Btf Parse() => Btf.Parse(Build());

    internal int Add(BtfKind kind, string name, uint countAndFlag, uint sizeOrType, uint[] rest)
    {
        foreach (uint word in (uint[])[Text(name), (uint)kind << 24 | countAndFlag, sizeOrType, .. rest])
            _types.AddRange([(byte)word, (byte)(word >> 8), (byte)(word >> 16), (byte)(word >> 24)]);
        return ++_count;
    }

    private static void Word(byte[] raw, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(raw.AsSpan(at), value);

    private uint Text(string text)
    {
        if (text.Length == 0)
            return 0;
        uint at = (uint)_strings.Count;
        _strings.AddRange(Encoding.UTF8.GetBytes(text));
        _strings.Add(0);
        return at;
    }
}
