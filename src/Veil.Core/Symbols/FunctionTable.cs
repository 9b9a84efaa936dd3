// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Symbols;

/// <summary>The functions of a file, sorted by address. Names stay in the file, and are read when one is asked for.</summary>
internal sealed class FunctionTable
{
    // Functions lie in each other at times (parts of assembly); how many are looked at for the one around an address.
    private const int NestedMax = 16;

    private readonly ulong[] _addresses;
    private readonly uint[] _bytes;
    private readonly ulong[] _names;

    private FunctionTable(ulong[] addresses, uint[] bytes, ulong[] names) => (_addresses, _bytes, _names) = (addresses, bytes, names);

    /// <summary>How many there are.</summary>
    public int Count => _addresses.Length;

    /// <summary>The memory that it takes.</summary>
    public long SizeBytes => (long)Count * (sizeof(ulong) + sizeof(uint) + sizeof(ulong));

    /// <summary>Of all functions; of several at one address the best: with a length, known to all, with fewer underscores.</summary>
    public static FunctionTable Of(List<Entry> functions)
    {
        functions.Sort(static (one, other) =>
            one.Address != other.Address ? one.Address.CompareTo(other.Address)
                : one.Rank != other.Rank ? other.Rank.CompareTo(one.Rank) : one.Name.CompareTo(other.Name));
        int count = 0;
        for (int i = 0; i < functions.Count; i++)
        {
            if (count == 0 || functions[count - 1].Address != functions[i].Address)
                functions[count++] = functions[i];
        }

        var (addresses, bytes, names) = (new ulong[count], new uint[count], new ulong[count]);
        for (int i = 0; i < count; i++)
            (addresses[i], bytes[i], names[i]) = (functions[i].Address, functions[i].Bytes, functions[i].Name);
        return new FunctionTable(addresses, bytes, names);
    }

    /// <summary>The function that an address is in: its start, and where its name is.</summary>
    public (ulong Start, ulong Name)? Find(ulong address)
    {
        int at = Array.BinarySearch(_addresses, address);
        if (at < 0)
            at = ~at - 1;
        for (int i = at; i >= 0 && at - i < NestedMax; i--)
        {
            // Without a length (assembly) it reaches up to the next.
            if (_bytes[i] == 0 ? i == at : address - _addresses[i] < _bytes[i])
                return (_addresses[i], _names[i]);
        }

        return null;
    }

    /// <summary>A function.</summary>
    /// <param name="Address">As the file has it.</param>
    /// <param name="Bytes">Its length; 0 where that is not known.</param>
    /// <param name="Rank">The higher the better is its name.</param>
    /// <param name="Name">Where its name is.</param>
    internal readonly record struct Entry(ulong Address, uint Bytes, byte Rank, ulong Name);
}
