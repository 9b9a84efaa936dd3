// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;

namespace Veil.Core.Calls;

/// <summary>How the kernel's side reads what a pointer in a structure leads to: <c>struct syscall_nested</c>. It is found as the chunk
/// <see cref="CallChunkKind.Nested"/> of the argument, by its place among the call's.</summary>
/// <param name="Arg">The argument that points to the structure.</param>
/// <param name="At">The pointer's place in it.</param>
/// <param name="Read">Fixed, counted, a string, or a vector, which is found as that of a message is.</param>
/// <param name="Unit">Bytes of an element.</param>
/// <param name="SizeMax">Bytes that are read at most.</param>
/// <param name="CountAt">Where the structure says how many there are.</param>
public readonly record struct NestedReader(int Arg, int At, CallRead Read, int Unit = 1, int SizeMax = 0, int CountAt = 0)
{
    /// <summary>How many a call can have.</summary>
    public const int Max = 4;

    /// <summary>Bytes of the struct.</summary>
    public const int SizeBytes = 8;

    private const int ExitMark = 8, WideMark = 16, Count4Mark = 32; // SYSCALL_NESTED_EXIT and its like

    /// <summary>Is it read when the call has ended without an error?</summary>
    public bool IsOutput { get; init; }

    /// <summary>Has the pointer 8 bytes also where an address has 4?</summary>
    public bool IsWide { get; init; }

    /// <summary>Has the number 4 bytes, and not as many as the pointer?</summary>
    public bool IsCountInt { get; init; }

    internal void Write(Span<byte> to)
    {
        to[0] = (byte)(Arg | (IsOutput ? ExitMark : 0) | (IsWide ? WideMark : 0) | (IsCountInt ? Count4Mark : 0));
        to[1] = (byte)Read;
        to[2] = (byte)At;
        to[3] = (byte)CountAt;
        BinaryPrimitives.WriteUInt16LittleEndian(to[4..], (ushort)Unit);
        BinaryPrimitives.WriteUInt16LittleEndian(to[6..], (ushort)(SizeMax == 0 ? Unit : SizeMax));
    }
}
