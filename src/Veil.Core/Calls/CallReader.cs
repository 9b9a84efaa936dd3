// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;

namespace Veil.Core.Calls;

/// <summary>How the kernel's side reads what an argument points to: <c>enum syscall_read</c> of <c>arguments.bpf.h</c>, in its
/// order.</summary>
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

    /// <summary>Several <c>struct mmsghdr</c>: at the beginning as many as the argument <see cref="CallReader.Count"/> says, at the end as
    /// the call returned.</summary>
    Messages,

    /// <summary>
    /// As <see cref="Counted"/>, of <see cref="CallReader.SizeMax"/> bytes where <see cref="CallReader.Count"/> is no argument: elements
    /// that begin with a descriptor, and what these stand for.
    /// </summary>
    Descriptors,

    /// <summary><see cref="CallReader.Unit"/> bytes, an <c>fd_set</c> of as many descriptors as the argument <see cref="CallReader.Count"/>
    /// says, and what
    /// these stand for.</summary>
    DescriptorSet,

    /// <summary>How many entries of a folder are in as many bytes as the call returned; <see cref="CallReader.Unit"/> bytes are a word of
    /// them, where a word has 4 bytes.</summary>
    Entries,

    /// <summary>As many addresses of <c>struct iocb</c> as the argument <see cref="CallReader.Count"/> says, these, and what they
    /// write.</summary>
    Requests,

    /// <summary><see cref="CallReader.Unit"/> bytes more than the <c>int</c> says that is <see cref="CallReader.Count"/> bytes into
    /// it.</summary>
    Sized,
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

    /// <summary>Elements that begin with a descriptor; what these stand for is found only where it is shown.</summary>
    /// <param name="options">How much is shown.</param>
    /// <param name="unit">Bytes of an element.</param>
    /// <param name="sizeMax">The most bytes that are read.</param>
    /// <param name="count">The argument that says how many there are; without one <paramref name="sizeMax"/> says it.</param>
    public static CallReader OfDescriptors(CallOptions options, int unit, int sizeMax, int count = CallView.ArgsMax) =>
        options.Descriptors switch
        {
            not DescriptorDetail.None => new(CallRead.Descriptors, unit, sizeMax, count),
            _ when count < CallView.ArgsMax => new(CallRead.Counted, unit, sizeMax, count),
            _ => new(CallRead.Fixed, sizeMax, sizeMax),
        };

    internal void Write(Span<byte> to)
    {
        to[0] = (byte)Read;
        to[1] = (byte)Count;
        BinaryPrimitives.WriteUInt16LittleEndian(to[2..], (ushort)Unit);
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], SizeMax);
    }
}
