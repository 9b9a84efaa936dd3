// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Text;
using System.Runtime.CompilerServices;

namespace Veil.Core.Text;

/// <summary>
/// Appends UTF-8 to a caller's memory. It never allocates, and it checks every write: the bytes that pass through it come from
/// hostile processes, into a program that runs as root.
/// </summary>
public ref struct LineWriter(Span<byte> memory)
{
    private readonly Span<byte> _memory = memory;

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    /// <summary>What was written.</summary>
    public readonly ReadOnlySpan<byte> Written => _memory[..Length];

    /// <summary>Appends bytes as they are.</summary>
    /// <returns>Their number, and so do the others.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Append(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_memory[Length..]);
        Length += bytes.Length;
        return bytes.Length;
    }

    /// <summary>Appends one byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(byte value) => _memory[Length++] = value;

    /// <summary>Appends a decimal number.</summary>
    public int Append(ulong value)
    {
        Utf8Formatter.TryFormat(value, _memory[Length..], out int written);
        Length += written;
        return written;
    }

    /// <summary>Appends a decimal number.</summary>
    public int Append(long value)
    {
        Utf8Formatter.TryFormat(value, _memory[Length..], out int written);
        Length += written;
        return written;
    }

    /// <summary>Appends a decimal number with leading zeros.</summary>
    public void AppendPadded(uint value, int digits)
    {
        var target = _memory.Slice(Length, digits);
        for (int i = digits - 1; i >= 0; i--)
        {
            target[i] = (byte)('0' + (value % 10));
            value /= 10;
        }

        Length += digits;
    }

    /// <summary>Appends a hexadecimal number in lower case, with leading zeros up to <paramref name="digits"/>.</summary>
    public void AppendHex(ulong value, int digits = 1)
    {
        int needed = Math.Max(digits, (67 - System.Numerics.BitOperations.LeadingZeroCount(value)) / 4);
        for (int shift = (needed - 1) * 4; shift >= 0; shift -= 4)
            Append("0123456789abcdef"u8[(int)(value >> shift) & 15]);
    }

    /// <summary>Takes back everything after the first <paramref name="length"/> bytes.</summary>
    public void Truncate(int length) => Length = Math.Min(Length, length);

    /// <summary>Puts other bytes in the place of some that were written.</summary>
    public void Replace(int start, int end, ReadOnlySpan<byte> bytes)
    {
        _memory[end..Length].CopyTo(_memory[(start + bytes.Length)..]);
        bytes.CopyTo(_memory[start..]);
        Length += bytes.Length - (end - start);
    }

    /// <summary>Appends blanks after <paramref name="shown"/> characters so that they fill <paramref name="width"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PadTo(int shown, int width)
    {
        int missing = width - shown;
        if (missing <= 0)
            return;
        _memory.Slice(Length, missing).Fill((byte)' ');
        Length += missing;
    }
}
