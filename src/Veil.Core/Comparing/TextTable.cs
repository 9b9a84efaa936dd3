// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Core.Comparing;

/// <summary>Numbers for texts, equal ones for equal texts, in bounded memory. Both recordings share one.</summary>
internal sealed class TextTable
{
    /// <summary>Bytes of all texts: beyond that a call is only its name.</summary>
    public const int BytesMax = 24 * 1024 * 1024;

    private const int BytesOfEntry = 96; // what the dictionary takes beside the text
    private readonly Dictionary<byte[], int> _numbers;
    private readonly Dictionary<byte[], int>.AlternateLookup<ReadOnlySpan<byte>> _lookup;
    private readonly List<byte[]> _shown = [];
    private readonly List<byte[]> _compared = [];
    private long _bytes;

    public TextTable()
    {
        _numbers = new(new Comparer());
        _lookup = _numbers.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>Had it no room for a text?</summary>
    public bool IsFull { get; private set; }

    /// <summary>The number of a text.</summary>
    /// <param name="text">What is compared.</param>
    /// <param name="shown">What stands for it; the first one is kept.</param>
    /// <param name="name">What stands for both where there is no room: this always finds some.</param>
    public int NumberOf(ReadOnlySpan<byte> text, ReadOnlySpan<byte> shown, ReadOnlySpan<byte> name)
    {
        if (_lookup.TryGetValue(text, out int number))
            return number;
        if (_bytes + text.Length + shown.Length + BytesOfEntry > BytesMax && !text.SequenceEqual(name))
        {
            IsFull = true;
            return NumberOf(name, name, name);
        }

        number = _shown.Count;
        byte[] kept = text.ToArray();
        _numbers.Add(kept, number);
        _compared.Add(kept);
        _shown.Add(text.SequenceEqual(shown) ? kept : shown.ToArray());
        _bytes += text.Length + shown.Length + BytesOfEntry;
        return number;
    }

    /// <summary>What stands for it.</summary>
    public string Shown(int number) => Encoding.UTF8.GetString(_shown[number]);

    /// <summary>What is compared of it.</summary>
    public string Compared(int number) => Encoding.UTF8.GetString(_compared[number]);

    private sealed class Comparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public bool Equals(byte[]? one, byte[]? other) => one.AsSpan().SequenceEqual(other);

        public bool Equals(ReadOnlySpan<byte> one, byte[] other) => one.SequenceEqual(other);

        public int GetHashCode(byte[] text) => GetHashCode(text.AsSpan());

        public int GetHashCode(ReadOnlySpan<byte> text)
        {
            var code = default(HashCode);
            code.AddBytes(text);
            return code.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> text) => text.ToArray();
    }
}
