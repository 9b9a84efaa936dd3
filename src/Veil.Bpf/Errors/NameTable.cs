// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Bpf;

/// <summary>
/// Names by number over two constant blobs of the executable: nothing is built at start-up and nothing is allocated.
/// </summary>
/// <param name="names">All names end to end, UTF-8.</param>
/// <param name="offsets">Where the name of each number starts, and one end; a number without a name has length 0.</param>
internal readonly ref struct NameTable(ReadOnlySpan<byte> names, ReadOnlySpan<ushort> offsets)
{
    // The longest name of the tables is far below this; a longer one cannot be found.
    private const int MaxNameBytes = 64;

    private readonly ReadOnlySpan<byte> _names = names;
    private readonly ReadOnlySpan<ushort> _offsets = offsets;

    /// <summary>One above the highest number with a name.</summary>
    public int Limit => Math.Max(0, _offsets.Length - 1);

    /// <summary>The name of a number, empty when it has none.</summary>
    public ReadOnlySpan<byte> this[int number]
    {
        get
        {
            // One unsigned comparison turns negative numbers away too.
            if ((uint)number >= (uint)Limit)
                return default;
            int start = _offsets[number];
            return _names[start.._offsets[number + 1]];
        }
    }

    /// <summary>The number of a name, -1 when no number has it.</summary>
    /// <remarks>A scan: names are resolved when a flag or a prompt command is read, never per event.</remarks>
    public int IndexOf(ReadOnlySpan<char> name)
    {
        Span<byte> utf8 = stackalloc byte[MaxNameBytes];
        if (name.IsEmpty || !Encoding.UTF8.TryGetBytes(name, utf8, out int length))
            return -1;
        ReadOnlySpan<byte> wanted = utf8[..length];
        for (int number = 0; number < Limit; number++)
        {
            if (this[number].SequenceEqual(wanted))
                return number;
        }

        return -1;
    }
}
