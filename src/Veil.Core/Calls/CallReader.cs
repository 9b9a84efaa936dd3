// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;

namespace Veil.Core.Calls;

/// <summary>How the kernel's side reads what an argument points to: <c>enum syscall_read</c> of <c>arguments.bpf.h</c>, in its order.</summary>
public enum CallRead : byte
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>A string, up to its NUL.</summary>
    String,

    /// <summary><see cref="CallReader.Unit"/> bytes.</summary>
    Fixed,

    /// <summary>As many elements of <see cref="CallReader.Unit"/> bytes as the argument <see cref="CallReader.Count"/> says.</summary>
    Counted,

    /// <summary>As many elements of <see cref="CallReader.Unit"/> bytes as the call returned.</summary>
    Result,

    /// <summary>As many bytes as the <c>int</c> says that the argument <see cref="CallReader.Count"/> points to.</summary>
    Pointed,

    /// <summary>An array of addresses of strings, which ends in NULL, and the strings.</summary>
    Strings,

    /// <summary>How many addresses such an array has.</summary>
    Number,

    /// <summary>As many <c>struct iovec</c> as the argument <see cref="CallReader.Count"/> says, and what they point to.</summary>
    Vector,

    /// <summary>A <c>struct msghdr</c>, and what it points to.</summary>
    Message,

    /// <summary>Several <c>struct mmsghdr</c>: at the beginning as many as the argument <see cref="CallReader.Count"/> says, at the end as the call returned.</summary>
    Messages,
}

/// <summary>One argument's row in the kernel's table: <c>struct syscall_reader</c>.</summary>
/// <param name="Read">How.</param>
/// <param name="Unit">Bytes of an element.</param>
/// <param name="SizeMax">Bytes that are read at most, of each string or buffer.</param>
/// <param name="Count">The argument that says how many; from 0.</param>
public readonly record struct CallReader(CallRead Read, int Unit = 1, int SizeMax = 0, int Count = 0)
{
    /// <summary>Bytes of the struct.</summary>
    public const int SizeBytes = 8;

    internal void Write(Span<byte> to)
    {
        to[0] = (byte)Read;
        to[1] = (byte)Count;
        BinaryPrimitives.WriteUInt16LittleEndian(to[2..], (ushort)Unit);
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], SizeMax);
    }
}
