// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Veil.Bpf;

public sealed partial class Btf
{
    /// <summary>The structure with this tag; null if there is none. Of several (which C allows across files) the first.</summary>
    /// <exception cref="BpfException">It is damaged.</exception>
    public BtfStruct? FindStruct(string name) => FindType(name, BtfKind.Struct) is var id and not 0 ? ReadStruct(id) : null;

    /// <summary>The enumeration with this tag, of 32 or 64 bits; null if there is none.</summary>
    /// <exception cref="BpfException">It is damaged.</exception>
    public BtfEnum? FindEnum(string name)
    {
        int id = FindType(name, BtfKind.Enum);
        if (id == 0)
            id = FindType(name, BtfKind.Enum64);
        return id == 0 ? null : ReadEnum(id);
    }

    /// <summary>Whether there is a function of this name. In the kernel's BTF: one that is not inlined everywhere.</summary>
    public bool HasFunction(string name) => FindType(name, BtfKind.Function) != 0;

    /// <summary>Finds a function's type id, which is what fentry programs attach to.</summary>
    public bool TryFindFunction(string name, out int typeId) => (typeId = FindType(name, BtfKind.Function)) != 0;

    /// <summary>Whether there is a typedef of this name.</summary>
    public bool HasTypedef(string name) => FindType(name, BtfKind.Typedef) != 0;

    /// <summary>Finds a typedef's type id.</summary>
    public bool TryFindTypedef(string name, out int typeId) => (typeId = FindType(name, BtfKind.Typedef)) != 0;

    /// <summary>Finds a global variable by its name in C, in whichever section it is.</summary>
    /// <exception cref="BpfException">A section is damaged.</exception>
    public bool TryGetVariable(string name, [NotNullWhen(true)] out BtfVariable? variable) =>
        _variables.Value.TryGetValue(name, out variable);

    /// <summary>All global variables, by their names in C.</summary>
    /// <exception cref="BpfException">A section is damaged.</exception>
    public IReadOnlyDictionary<string, BtfVariable> Variables => _variables.Value;

    /// <summary>
    /// The first type of a name and kind, 0 if there is none. The kernel has some 150,000 types and a hook ladder asks a dozen questions:
    /// an index would cost more than it saves, so the name is searched once in the strings, and then its places in the types.
    /// </summary>
    private int FindType(string name, BtfKind kind)
    {
        if (name.Length == 0 || name.Contains('\0', StringComparison.Ordinal))
            return 0;
        var places = PlacesOf(name);
        if (places.Count == 0)
            return 0;
        uint first = places.Min;
        uint last = places.Max;
        for (int id = 1; id < _offsets.Length; id++)
        {
            int at = _offsets[id];
            uint place = UInt32(at);
            if (place >= first && place <= last && (BtfKind)(UInt32(at + 4) >> 24 & 0x1f) == kind && places.Contains(place))
                return id;
        }

        return 0;
    }

    private SortedSet<uint> PlacesOf(string name)
    {
        byte[] pattern = new byte[Encoding.UTF8.GetByteCount(name) + 1];
        Encoding.UTF8.GetBytes(name, pattern);
        var strings = _raw.AsSpan(_stringsStart, _stringsLength);
        var places = new SortedSet<uint>();
        for (int at = 0; strings[at..].IndexOf(pattern) is var step and >= 0; at += step + 1)
            places.Add((uint)(at + step));
        return places;
    }
}
