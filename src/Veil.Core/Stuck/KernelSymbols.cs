// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using Veil.Bpf.Interop;

namespace Veil.Core.Stuck;

/// <summary>Names of addresses in the kernel, by <c>/proc/kallsyms</c>. Read once; where it hides the addresses there are no
/// names.</summary>
public sealed class KernelSymbols
{
    private const string File = "/proc/kallsyms";

    private readonly List<(ulong Address, int Start, int Length)> _symbols = [];
    private readonly Dictionary<ulong, string> _known = [];
    private readonly byte[] _text;

    private KernelSymbols(byte[] text) => _text = text;

    /// <summary>Reads them.</summary>
    public static KernelSymbols Read()
    {
        var symbols = new KernelSymbols(KernelFile.Bytes(File));
        symbols.Index();
        return symbols;
    }

    /// <summary>The function that an address is in, without an offset; the address in hexadecimal where there is no name.</summary>
    public string NameOf(ulong address)
    {
        if (!_known.TryGetValue(address, out string? name))
            _known.Add(address, name = Find(address));
        return name;
    }

    private string Find(ulong address)
    {
        int low = 0, high = _symbols.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_symbols[middle].Address <= address)
                low = middle + 1;
            else
                high = middle;
        }

        return low == 0 ? "0x" + address.ToString("x", CultureInfo.InvariantCulture)
            : Encoding.ASCII.GetString(_text.AsSpan(_symbols[low - 1].Start, _symbols[low - 1].Length));
    }

    // ffffffff81000000 T name[\t[module]]: code alone, of the kernel in order, of its modules not.
    private void Index()
    {
        int at = 0;
        while (at < _text.Length)
        {
            var line = _text.AsSpan(at);
            int end = line.IndexOf((byte)'\n');
            line = end < 0 ? line : line[..end];
            int blank = line.IndexOf((byte)' ');
            if (blank > 0 && line.Length > blank + 3 && line[blank + 1] is (byte)'t' or (byte)'T' or (byte)'w' or (byte)'W'
                && ulong.TryParse(line[..blank], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong address) && address != 0)
            {
                int name = blank + 3, tab = line[name..].IndexOf((byte)'\t');
                _symbols.Add((address, at + name, tab < 0 ? line.Length - name : tab));
            }

            at += line.Length + 1;
        }

        _symbols.Sort(static (one, other) => one.Address.CompareTo(other.Address));
    }
}
