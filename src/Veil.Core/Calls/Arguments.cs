// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;

namespace Veil.Core.Calls;

/// <summary>The kinds of argument that many calls share.</summary>
internal static class Arguments
{
    /// <summary><c>int</c>.</summary>
    public static Argument Int { get; } = new IntArgument();

    /// <summary><c>unsigned int</c>.</summary>
    public static Argument UInt { get; } = new UIntArgument();

    /// <summary><c>long</c>, or a size with a sign.</summary>
    public static Argument Long { get; } = new LongArgument();

    /// <summary><c>unsigned long</c>, a size.</summary>
    public static Argument Size { get; } = new SizeArgument();

    /// <summary>A word in hexadecimal.</summary>
    public static Argument Hex { get; } = new HexArgument();

    /// <summary>An address, of which nothing is read.</summary>
    public static Argument Address { get; } = new AddressArgument();

    /// <summary>A descriptor.</summary>
    public static Argument Fd { get; } = new FdArgument();

    /// <summary>A descriptor of a folder, or <c>AT_FDCWD</c>.</summary>
    public static Argument DirFd { get; } = new FdArgument { MayBeCurrentFolder = true };

    /// <summary>A path.</summary>
    public static Argument FilePath { get; } = new StringArgument { IsWhole = true, IsFile = true };

    /// <summary>Another string, shown up to the number of characters that was asked for.</summary>
    public static Argument String { get; } = new StringArgument();

    /// <summary>A name that is shown whole.</summary>
    public static Argument Name { get; } = new StringArgument { IsWhole = true };

    /// <summary>Permissions.</summary>
    public static Argument Mode { get; } = new ModeArgument();

    /// <summary>A word of flags.</summary>
    public static Argument Flags(FlagSet set) => new FlagsArgument(set, isEnumeration: false);

    /// <summary>A <c>long</c> of flags.</summary>
    public static Argument LongFlags(FlagSet set) => new FlagsArgument(set, isEnumeration: false) { IsLong = true };

    /// <summary>A number that has a name.</summary>
    public static Argument Enum(FlagSet set) => new FlagsArgument(set, isEnumeration: true);

    /// <summary>A <c>long</c> that has a name.</summary>
    public static Argument LongEnum(FlagSet set) => new FlagsArgument(set, isEnumeration: true) { IsLong = true };

    /// <summary>A buffer that the call reads; its length is the argument at a place.</summary>
    public static Argument InBuffer(int length) => new BufferArgument(length, isOutput: false);

    /// <summary>A buffer that the call fills; its length is what the call returned.</summary>
    public static Argument OutBuffer { get; } = new BufferArgument(length: 0, isOutput: true);

    /// <summary>The same of a call that fills nothing, and says how much it would, where its length is 0; that is the argument at a
    /// place.</summary>
    public static Argument AskedBuffer(int length) => new BufferArgument(length, isOutput: true);
}

internal sealed class IntArgument : Argument
{
    public override void Write(ref CallWriter writer, in CallView call, int position) => writer.Number(call.Int(position));
}

internal sealed class UIntArgument : Argument
{
    public override void Write(ref CallWriter writer, in CallView call, int position) => writer.Unsigned((uint)call[position]);
}

internal sealed class LongArgument : Argument
{
    public override void Write(ref CallWriter writer, in CallView call, int position) => writer.Number(call.Long(position));
}

internal sealed class SizeArgument : Argument
{
    public override void Write(ref CallWriter writer, in CallView call, int position) => writer.Unsigned(call[position]);
}

internal sealed class HexArgument : Argument
{
    public override void Write(ref CallWriter writer, in CallView call, int position) => writer.Hex(call[position]);
}

internal sealed class AddressArgument : Argument
{
    public override void Write(ref CallWriter writer, in CallView call, int position) => writer.Address(call[position]);
}

internal sealed class FdArgument : Argument
{
    private const int AtFdCwd = -100; // include/uapi/linux/fcntl.h

    public bool MayBeCurrentFolder { get; init; }

    public override bool IsDescriptor => true;

    public override void Write(ref CallWriter writer, in CallView call, int position)
    {
        int fd = call.Int(position);
        if (MayBeCurrentFolder && fd == AtFdCwd)
            writer.Word("AT_FDCWD"u8);
        else
            writer.Number(fd);
        CallDescriptor.Write(ref writer, call, position);
    }
}

internal sealed class StringArgument : Argument
{
    private const int WholeMax = 4095; // PATH_MAX less the NUL

    public bool IsWhole { get; init; }

    public bool IsFile { get; init; }

    public override bool IsPath => IsFile;

    public override CallReader Input(int position, CallOptions options, bool is32Bit) =>
        new(CallRead.String, SizeMax: IsWhole ? WholeMax : options.StringSize);

    public override void Write(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position);
        if (!TryWriteAddress(ref writer, call, position, chunk))
            writer.String(chunk.Bytes, chunk.IsTruncated);
    }
}

internal sealed class ModeArgument : Argument
{
    public override void Write(ref CallWriter writer, in CallView call, int position) => writer.Octal((ushort)call[position]);
}

internal sealed class FlagsArgument(FlagSet set, bool isEnumeration) : Argument
{
    public bool IsLong { get; init; }

    public override void Write(ref CallWriter writer, in CallView call, int position)
    {
        ulong value = IsLong ? call[position] : (uint)call[position];
        if (isEnumeration)
            writer.Name(set, value);
        else
            writer.Flags(set, value);
    }
}

internal sealed class BufferArgument(int length, bool isOutput) : Argument
{
    /// <summary>Of a length that is more the address is shown.</summary>
    public ulong SizeMax { get; init; } = ulong.MaxValue;

    public override CallReader Input(int position, CallOptions options, bool is32Bit) =>
        isOutput ? default : new(CallRead.Counted, 1, options.StringSize, length);

    public override CallReader Output(int position, CallOptions options, bool is32Bit) =>
        isOutput ? new(CallRead.Result, 1, options.StringSize) : default;

    public override void Write(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position, output: isOutput);
        if ((isOutput && length > 0 && call[length] == 0) || (!isOutput && call[length] > SizeMax))
            writer.Address(call[position]);
        else if (!chunk.Exists && isOutput && call.HasSucceeded && call.Ret == 0 && call[position] != 0)
            writer.String([], false);
        else if (!TryWriteAddress(ref writer, call, position, chunk))
            writer.String(chunk.Bytes, chunk.IsTruncated);
    }
}
