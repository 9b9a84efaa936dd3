// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Unwinding;

/// <summary>The part of a stack that was copied: what can be read of the process.</summary>
/// <param name="start">The address of the first byte.</param>
/// <param name="bytes">The bytes.</param>
internal readonly ref struct StackMemory(ulong start, ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Reads a number of so many bytes; false where it was not copied.</summary>
    public bool TryRead(ulong address, out ulong value, int size = sizeof(ulong))
    {
        value = 0;
        ulong at = address - start;
        if (address < start || at > (ulong)_bytes.Length || (ulong)_bytes.Length - at < (ulong)size)
            return false;
        var read = _bytes.Slice((int)at, size);
        for (int i = size - 1; i >= 0; i--)
            value = (value << 8) | read[i];
        return true;
    }
}
