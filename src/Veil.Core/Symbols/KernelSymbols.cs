// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using Veil.Bpf.Interop;

namespace Veil.Core.Symbols;

/// <summary>
/// Names of addresses in the kernel and its modules, by <c>/proc/kallsyms</c>. Read once, which takes root (or
/// <c>kernel.kptr_restrict=0</c>); where the addresses are hidden there are no names.
/// </summary>
public sealed class KernelSymbols
{
    private const string File = "/proc/kallsyms";
    private const int TextMax = 256 << 20;

    // Behind the last function of the kernel, or of a module, its own end is not told.
    private const ulong FunctionBytesMax = 1 << 20;

    private readonly byte[] _text;
    private readonly ulong[] _addresses;
    private readonly int[] _lines;

    private KernelSymbols(byte[] text)
    {
        _text = text.Length > TextMax ? [] : text;
        (_addresses, _lines) = Index(_text);
    }

    /// <summary>Are there names at all?</summary>
    public bool IsEmpty => _addresses.Length == 0;

    /// <summary>Reads them.</summary>
    public static KernelSymbols Read() => new(KernelFile.Bytes(File));

    /// <summary>From the text of such a file.</summary>
    internal static KernelSymbols Parse(byte[] text) => new(text);

    /// <summary>The function that an address is in, without an offset; the address in hexadecimal where there is no name.</summary>
    public string NameOf(ulong address) => Find(address)?.Name ?? "0x" + address.ToString("x", CultureInfo.InvariantCulture);

    /// <summary>The function that an address is in.</summary>
    /// <returns>Its name, its first address, and its module (<c>[ext4]</c>; <c>[kernel]</c> for none); nothing where there is
    /// none.</returns>
    public (string Name, ulong Start, string Module)? Find(ulong address)
    {
        int found = Array.BinarySearch(_addresses, address);
        // Of several names of an address the first in the file.
        for (; found > 0 && _addresses[found - 1] == _addresses[found]; found--)
        {
        }

        if (found < 0)
            found = ~found - 1;
        if (found < 0 || address - _addresses[found] > FunctionBytesMax)
            return null;
        for (; found > 0 && _addresses[found - 1] == _addresses[found]; found--)
        {
        }

        var rest = _text.AsSpan(_lines[found]);
        int end = rest.IndexOf((byte)'\n');
        var line = end < 0 ? rest : rest[..end];
        int tab = line.IndexOf((byte)'\t');
        return (Encoding.UTF8.GetString(tab < 0 ? line : line[..tab]), _addresses[found],
            tab < 0 ? "[kernel]" : Encoding.UTF8.GetString(line[(tab + 1)..]));
    }

    // ffffffff81000000 T name[\t[module]]: code alone, of the kernel in order, of its modules not.
    private static (ulong[] Addresses, int[] Lines) Index(byte[] text)
    {
        var addresses = new List<ulong>();
        var lines = new List<int>();
        bool isSorted = true;
        for (int at = 0; at < text.Length;)
        {
            var line = text.AsSpan(at);
            int end = line.IndexOf((byte)'\n');
            line = end < 0 ? line : line[..end];
            int blank = line.IndexOf((byte)' ');
            if (blank > 0 && line.Length > blank + 3 && line[blank + 1] is (byte)'t' or (byte)'T' or (byte)'w' or (byte)'W'
                && ulong.TryParse(line[..blank], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong address) && address != 0)
            {
                isSorted &= addresses.Count == 0 || addresses[^1] <= address;
                addresses.Add(address);
                lines.Add(at + blank + 3);
            }

            at += line.Length + 1;
        }

        var keys = addresses.ToArray();
        var values = lines.ToArray();
        if (!isSorted)
        {
            // Names of one address stay in the order of the file.
            int[] order = [.. Enumerable.Range(0, keys.Length).OrderBy(i => keys[i]).ThenBy(i => values[i])];
            (keys, values) = ([.. order.Select(i => keys[i])], [.. order.Select(i => values[i])]);
        }

        return (keys, values);
    }
}
