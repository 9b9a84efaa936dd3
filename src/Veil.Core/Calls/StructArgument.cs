// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;

namespace Veil.Core.Calls;

/// <summary>Writes a structure of the process. As many bytes are there as its argument asked for.</summary>
internal delegate void StructWriter(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call);

/// <summary>An argument that points to a structure. Where not all of it could be read it is an address.</summary>
/// <param name="size">Bytes that are read.</param>
/// <param name="write">Writes it.</param>
internal sealed class StructArgument(int size, StructWriter write) : Argument
{
    private readonly int _size = size;

    /// <summary>Bytes that are read where addresses and <c>long</c> have 4.</summary>
    public int Size32 { get; init; } = size;

    /// <summary>Is it there only when the call has ended?</summary>
    public bool IsOutput { get; init; }

    /// <summary>The argument that says how many bytes the caller's structure has; 0: none does.</summary>
    public int SizeArg { get; init; }

    /// <summary>Does strace write the address where the call has failed?</summary>
    public bool IsAddressAfterFailure { get; init; }

    public override CallReader Input(int position, CallOptions options, bool is32Bit) => IsOutput ? default : Reader(is32Bit);

    public override CallReader Output(int position, CallOptions options, bool is32Bit) => IsOutput ? Reader(is32Bit) : default;

    public override void Write(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position, output: IsOutput);
        int needed = call.Is32Bit ? Size32 : _size;
        if (!chunk.Has(needed) || (IsAddressAfterFailure && call.HasFailed))
            writer.Address(call[position]);
        else
            write(ref writer, chunk.Bytes[..needed], call);
    }

    private CallReader Reader(bool is32Bit)
    {
        int bytes = is32Bit ? Size32 : _size;
        return SizeArg == 0 ? new(CallRead.Fixed, bytes, bytes) : new(CallRead.Counted, 1, bytes + StructTail.BytesMax, SizeArg);
    }
}

/// <summary>An argument that points to an array of structures.</summary>
/// <param name="unit">Bytes of each.</param>
/// <param name="count">The argument that says how many; -1: the result does.</param>
/// <param name="write">Writes one.</param>
internal sealed class ArrayArgument(int unit, int count, StructWriter write) : Argument
{
    private readonly int _unit = unit;
    private readonly int _count = count;

    /// <summary>Bytes of each where addresses and <c>long</c> have 4.</summary>
    public int Unit32 { get; init; } = unit;

    /// <summary>Is it there only when the call has ended?</summary>
    public bool IsOutput { get; init; } = count < 0;

    public override CallReader Input(int position, CallOptions options, bool is32Bit) => IsOutput ? default : Reader(is32Bit);

    public override CallReader Output(int position, CallOptions options, bool is32Bit) => IsOutput ? Reader(is32Bit) : default;

    public override void Write(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position, output: IsOutput);
        bool isEmpty = call[position] != 0 && (_count < 0 ? call.Ret == 0 : (uint)call[_count] == 0);
        int size = call.Is32Bit ? Unit32 : _unit;
        if (!chunk.Has(size) && !isEmpty)
        {
            writer.Address(call[position]);
            return;
        }

        writer.BeginArray();
        var left = isEmpty ? default : chunk.Bytes;
        for (; left.Length >= size; left = left[size..])
        {
            writer.Item();
            write(ref writer, left[..size], call);
        }

        if (chunk.IsPartial)
            writer.More(chunk.Address + (ulong)(chunk.Bytes.Length - left.Length));
        else if (chunk.IsTruncated)
            writer.More();
        writer.EndArray();
    }

    private CallReader Reader(bool is32Bit)
    {
        int size = is32Bit ? Unit32 : _unit;
        return new(_count < 0 ? CallRead.Result : CallRead.Counted, size, CallOptions.ElementsMax * size, Math.Max(_count, 0));
    }
}

/// <summary>Numbers in the bytes of a structure.</summary>
internal static class StructBytes
{
    public static ushort U16(this ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    public static uint U32(this ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    public static int I32(this ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]);

    public static ulong U64(this ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);

    public static long I64(this ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);

    /// <summary>The <c>long</c> that is the structure's word <paramref name="index"/>.</summary>
    public static long Word(this ReadOnlySpan<byte> bytes, int index, int wordBytes) =>
        wordBytes == 4 ? bytes.I32(4 * index) : bytes.I64(8 * index);

    /// <summary>The same, without sign.</summary>
    public static ulong UWord(this ReadOnlySpan<byte> bytes, int index, int wordBytes) =>
        wordBytes == 4 ? bytes.U32(4 * index) : bytes.U64(8 * index);
}
