// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;

namespace Veil.Core.Events;

/// <summary>Where a value of variable size is in its record: <c>struct veil_part</c> of <c>types.bpf.h</c>.</summary>
public readonly record struct EventPart
{
    /// <summary>Bytes of the struct.</summary>
    public const int SizeBytes = 8;

    /// <summary>The longest part, in bytes (<c>VEIL_PART_MAX</c>).</summary>
    public const int LengthMax = 4096;

    /// <summary>What a deleted file's path ends in.</summary>
    public static ReadOnlySpan<byte> DeletedSuffix => " (deleted)"u8;

    internal const int TruncatedOffset = 6;
    internal const int DeletedOffset = 7;
    private const int LengthOffset = 4;

    /// <summary>Reads it.</summary>
    public EventPart(ReadOnlySpan<byte> member)
    {
        Offset = BinaryPrimitives.ReadUInt32LittleEndian(member);
        Length = BinaryPrimitives.ReadUInt16LittleEndian(member[LengthOffset..]);
        IsTruncated = member[TruncatedOffset] != 0;
        IsDeleted = member[DeletedOffset] != 0;
    }

    /// <summary>Describes a part.</summary>
    public EventPart(uint offset, int length, bool isTruncated, bool isDeleted)
    {
        Offset = offset;
        Length = length;
        IsTruncated = isTruncated;
        IsDeleted = isDeleted;
    }

    /// <summary>Bytes from the start of the record; 0 for none.</summary>
    public uint Offset { get; }

    /// <summary>Its bytes.</summary>
    public int Length { get; }

    /// <summary>There was more.</summary>
    public bool IsTruncated { get; }

    /// <summary>Of a path: the name is gone, and it ends in <see cref="DeletedSuffix"/>.</summary>
    public bool IsDeleted { get; }

    /// <summary>The event has no such value.</summary>
    public bool IsAbsent => Offset == 0;

    /// <summary>Is it after the struct, and within the record?</summary>
    public bool IsWithin(int structBytes, int recordBytes) =>
        IsAbsent ? Length == 0 : Offset >= (uint)structBytes && Offset + (ulong)Length <= (ulong)recordBytes;

    /// <summary>Its bytes in a record.</summary>
    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> record) => record.Slice((int)Offset, Length);

    /// <summary>The bytes of a path without the remark that its name is gone.</summary>
    public ReadOnlySpan<byte> NameOf(ReadOnlySpan<byte> record) =>
        Of(record) is var path && IsDeleted && path.EndsWith(DeletedSuffix) ? path[..^DeletedSuffix.Length] : path;

    /// <summary>Writes it.</summary>
    public void Write(Span<byte> member)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(member, Offset);
        BinaryPrimitives.WriteUInt16LittleEndian(member[LengthOffset..], (ushort)Length);
        member[TruncatedOffset] = IsTruncated ? (byte)1 : (byte)0;
        member[DeletedOffset] = IsDeleted ? (byte)1 : (byte)0;
    }
}
