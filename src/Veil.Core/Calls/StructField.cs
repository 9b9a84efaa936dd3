// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Kernel;

namespace Veil.Core.Calls;

/// <summary>A field of a structure of C. It is aligned to its size, to at most a word, if it is no array of characters.</summary>
/// <param name="name">As strace has it; empty: a gap that is not shown.</param>
/// <param name="size">Bytes.</param>
/// <param name="size32">Bytes where <c>long</c> has 4.</param>
/// <param name="write">Writes its bytes.</param>
internal sealed class StructField(string name, int size, int size32, StructWriter write)
{
    public byte[] Name { get; } = Encoding.UTF8.GetBytes(name);

    public StructWriter Write { get; } = write;

    /// <summary>Is it an array of characters?</summary>
    public bool IsText { get; init; }

    public int Size(bool is32Bit) => is32Bit ? size32 : size;

    public static StructField Int(string name) => new(name, 4, 4, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        writer.Number(bytes.I32(0)));

    public static StructField UInt(string name) => new(name, 4, 4, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        writer.Unsigned(bytes.U32(0)));

    public static StructField UShort(string name) => new(name, 2, 2, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        writer.Unsigned(bytes.U16(0)));

    public static StructField Short(string name) => new(name, 2, 2, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        writer.Number((short)bytes.U16(0)));

    public static StructField Long(string name) => new(name, 8, 4, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        writer.Number(bytes.Word(0, bytes.Length)));

    public static StructField ULong(string name) => new(name, 8, 4, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        writer.Unsigned(bytes.UWord(0, bytes.Length)));

    public static StructField U64(string name) => new(name, 8, 8, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        writer.Unsigned(bytes.U64(0)));

    public static StructField Address(string name) => new(name, 8, 4, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        writer.Address(bytes.UWord(0, bytes.Length)));

    public static StructField Address64(string name) => new(name, 8, 8, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        writer.Address(bytes.U64(0)));

    public static StructField Hex(string name) => new(name, 4, 4, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        writer.Hex(bytes.U32(0)));

    public static StructField Hex64(string name) => new(name, 8, 8, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        writer.Hex(bytes.U64(0)));

    public static StructField Flags(string name, FlagSet set) => new(name, 4, 4, (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        writer.Flags(set, bytes.U32(0)));

    public static StructField Flags64(string name, FlagSet set) => new(name, 8, 8, (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        writer.Flags(set, bytes.U64(0)));

    public static StructField Enum(string name, FlagSet set) => new(name, 4, 4, (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        writer.Name(set, bytes.U32(0)));

    public static StructField Timeval(string name) => new(name, 16, 8, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        Times.Write(ref writer, bytes, bytes.Length / 2, isMicro: true));

    public static StructField Timespec(string name) => new(name, 16, 8, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        Times.Write(ref writer, bytes, bytes.Length / 2, isMicro: false));

    public static StructField Gap(int size) => new("", size, size, static (ref CallWriter _, ReadOnlySpan<byte> _, in CallView _) => { });
}
