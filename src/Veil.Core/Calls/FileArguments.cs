// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;

namespace Veil.Core.Calls;

/// <summary>Writes an argument of a call; it reads no more than what its argument asked for.</summary>
internal delegate void ArgumentWriter(ref CallWriter writer, in CallView call, int position);

/// <summary>Is an argument left out of a call?</summary>
internal delegate bool ArgumentTest(in CallView call, int position);

/// <summary>An argument that is written by a method of its own, for what one call alone has.</summary>
internal sealed class OwnArgument(ArgumentWriter write) : Argument
{
    /// <summary>What is read at the beginning.</summary>
    public CallReader Begin { get; init; }

    /// <summary>What is read at the end.</summary>
    public CallReader End { get; init; }

    /// <summary>When it is left out.</summary>
    public ArgumentTest? Omitted { get; init; }

    public override CallReader Input(int position, CallOptions options, bool is32Bit) => Begin;

    public override CallReader Output(int position, CallOptions options, bool is32Bit) => End;

    public override bool IsOmitted(in CallView call, int position) => Omitted?.Invoke(call, position) ?? false;

    public override void Write(ref CallWriter writer, in CallView call, int position) => write(ref writer, call, position);
}

/// <summary>An argument that is never shown, as the upper half of an offset is.</summary>
internal sealed class HiddenArgument : Argument
{
    public override bool IsOmitted(in CallView call, int position) => true;

    public override void Write(ref CallWriter writer, in CallView call, int position)
    {
    }
}

/// <summary>A string that the call fills in.</summary>
internal sealed class OutStringArgument : Argument
{
    public override CallReader Output(int position, CallOptions options, bool is32Bit) => new(CallRead.String, SizeMax: 4094);

    public override void Write(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position, output: true);
        if (!TryWriteAddress(ref writer, call, position, chunk))
            writer.String(chunk.Bytes, chunk.IsTruncated);
    }
}

/// <summary>An array of <c>struct iovec</c> and what these point to.</summary>
/// <param name="count">The argument that says how many.</param>
/// <param name="isOutput">Does the call fill it?</param>
internal sealed class VectorArgument(int count, bool isOutput) : Argument
{
    public override CallReader Input(int position, CallOptions options, bool is32Bit)
    {
        int unit = is32Bit ? 8 : 16;
        return isOutput ? new(CallRead.Counted, unit, CallOptions.ElementsMax * unit, count)
            : new(CallRead.Vector, 1, options.StringSize, count);
    }

    public override CallReader Output(int position, CallOptions options, bool is32Bit) =>
        isOutput ? new(CallRead.Vector, 1, options.StringSize, count) : default;

    public override void Write(ref CallWriter writer, in CallView call, int position)
    {
        ulong number = call[count];
        var vector = call.FindAny(position);
        bool isEmpty = number == 0 && call[position] != 0;
        // strace takes a number of elements that no memory has for an error.
        if ((!vector.Has(2 * call.WordBytes) && !isEmpty) || number > ulong.MaxValue / 16)
        {
            writer.Address(call[position]);
            return;
        }

        // What a call that reads has filled: the rest of the parts are empty.
        WriteParts(ref writer, call, position, isEmpty ? default : vector, number,
            isOutput && call.HasSucceeded ? (ulong)call.Ret : ulong.MaxValue, isOutput);
    }

    /// <summary>Writes the structures and what they point to.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="call">The call.</param>
    /// <param name="arg">Under which the parts were read.</param>
    /// <param name="vector">The structures that were read.</param>
    /// <param name="number">How many there are.</param>
    /// <param name="left">The bytes in all parts.</param>
    /// <param name="isOutput">Has the call filled them?</param>
    /// <param name="isNetlink">Are messages of netlink in them?</param>
    public static void WriteParts(ref CallWriter writer, in CallView call, int arg, in CallChunk vector, ulong number, ulong left,
        bool isOutput, bool isNetlink = false)
    {
        int word = call.WordBytes, index = 0;
        var structs = vector.Bytes;
        writer.BeginArray();
        for (; structs.Length >= 2 * word && (ulong)index < number; structs = structs[(2 * word)..])
        {
            ulong address = structs.UWord(0, word), size = structs.UWord(1, word);
            writer.Item();
            writer.BeginStruct();
            writer.Field("iov_base"u8);
            var part = call.Find(arg, CallChunkKind.Part, index++, output: isOutput);
            ulong filled = Math.Min(size, left);
            if (address != 0 && filled == 0 && (size == 0 || isOutput))
                writer.String([], false);
            else if (address == 0 || !part.IsRead)
                writer.Address(address);
            else if (isNetlink)
                NetlinkMessages.Write(ref writer, part.Bytes, filled, CallSocket.NetlinkProtocol(call, 0));
            else
                WritePart(ref writer, part.Bytes, filled);
            left -= filled;
            writer.Field("iov_len"u8, size);
            writer.EndStruct();
        }

        if ((ulong)index < number && vector.IsPartial)
            writer.More(vector.Address + (ulong)(vector.Bytes.Length - structs.Length));
        else if ((ulong)index < number)
            writer.More();
        writer.EndArray();
    }

    private static void WritePart(ref CallWriter writer, ReadOnlySpan<byte> bytes, ulong filled)
    {
        var shown = writer.Cut(filled < (ulong)bytes.Length ? bytes[..(int)filled] : bytes);
        writer.String(shown, filled > (ulong)shown.Length);
    }
}

/// <summary>An offset of 64 bits: on 64-bit machines one register, else this one and the next, which is then hidden.</summary>
internal sealed class OffsetArgument : Argument
{
    public override void Write(ref CallWriter writer, in CallView call, int position) =>
        writer.Number(call.Is32Bit ? (long)((uint)call[position] | ((ulong)(uint)call[position + 1] << 32)) : (long)call[position]);
}

/// <summary>Arguments of the calls on files.</summary>
internal static class FileArguments
{
    private const uint TypeMask = 0xf000; // S_IFMT
    private const uint SetBits = 0xe00; // S_ISUID | S_ISGID | S_ISVTX

    /// <summary>A user or group: -1 is "as it is".</summary>
    public static Argument Id { get; } = new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
    {
        if ((uint)call[position] == uint.MaxValue)
            writer.Number(-1);
        else
            writer.Unsigned((uint)call[position]);
    });

    /// <summary>The same of 16 bits, as the older calls of i386 have it.</summary>
    public static Argument ShortId { get; } = new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
    {
        if ((ushort)call[position] == ushort.MaxValue)
            writer.Number(-1);
        else
            writer.Unsigned((ushort)call[position]);
    });

    /// <summary>The mode of an <c>open</c> whose flags are before it: it counts only where a file may be made.</summary>
    public static Argument ModeIfCreating { get; } = new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
        writer.Octal((ushort)call[position]))
    {
        Omitted = static (in CallView call, int position) => !IsCreating(call[position - 1]),
    };

    /// <summary>The type of a file and its permissions.</summary>
    public static Argument TypeAndMode { get; } = new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
        TypedMode(ref writer, (ushort)call[position]));

    /// <summary>The number of a device, after the mode of a <c>mknod</c>.</summary>
    public static Argument DeviceOfNode { get; } = new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
        Device(ref writer, (uint)call[position]))
    {
        Omitted = static (in CallView call, int position) => (call[position - 1] & TypeMask) is not (0x2000 or 0x6000),
    };

    /// <summary>Never shown.</summary>
    public static Argument Hidden { get; } = new HiddenArgument();

    /// <summary>An offset.</summary>
    public static Argument Offset { get; } = new OffsetArgument();

    /// <summary><c>O_CREAT</c> or <c>O_TMPFILE</c>.</summary>
    public static bool IsCreating(ulong flags) => (flags & (0x40 | 0x400000)) != 0;

    /// <summary>A type and permissions: <c>S_IFREG|0644</c>.</summary>
    public static void TypedMode(ref CallWriter writer, uint mode)
    {
        var type = FlagSets.FileType.NameOf(mode & TypeMask);
        writer.Quote();
        if (type.IsEmpty || (mode & TypeMask) == 0)
        {
            writer.AppendOctal(mode);
        }
        else
        {
            writer.Line.Append(type);
            writer.Line.Append((byte)'|');
            if ((mode & SetBits) != 0)
            {
                FlagSets.ModeBits.Format(ref writer.Line, mode & SetBits);
                writer.Line.Append((byte)'|');
            }

            writer.AppendOctal(mode & 0x1ff);
        }

        writer.Quote();
    }

    /// <summary>A device: <c>makedev(0x8, 0x1)</c>.</summary>
    public static void Device(ref CallWriter writer, ulong device)
    {
        // include/linux/kdev_t.h, new_encode_dev(), and the bits that glibc adds above it.
        ulong major = ((device >> 8) & 0xfff) | ((device >> 32) & ~0xffful), minor = (device & 0xff) | ((device >> 12) & 0xffffff00);
        writer.Quote();
        writer.Line.Append("makedev("u8);
        writer.AppendHex(major);
        writer.Line.Append(", "u8);
        writer.AppendHex(minor);
        writer.Line.Append((byte)')');
        writer.Quote();
    }

    /// <summary>Bytes as strace writes those that are no text: <c>"\x01\xff"</c>.</summary>
    public static void HexString(ref CallWriter writer, ReadOnlySpan<byte> bytes, bool isTruncated)
    {
        writer.Line.Append((byte)'"');
        foreach (byte value in bytes)
        {
            // In JSON a string of hexadecimal digits.
            writer.TextOnly("\\x"u8);
            writer.Line.AppendHex(value, digits: 2);
        }

        writer.Line.Append((byte)'"');
        if (isTruncated)
            writer.TextOnly("..."u8);
    }
}
