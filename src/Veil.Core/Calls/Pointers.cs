// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Calls;

/// <summary>Arguments that point to one value, which strace writes in brackets: <c>[3]</c>.</summary>
internal static class Pointers
{
    /// <summary>An <c>int</c> that the call fills.</summary>
    public static Argument OutInt { get; } = Output(4, 4, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) => writer.Number(bytes.I32(0)));

    /// <summary>An <c>unsigned int</c> that the call fills.</summary>
    public static Argument OutUInt { get; } = Output(4, 4, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) => writer.Unsigned(bytes.U32(0)));

    /// <summary>A size that the call fills.</summary>
    public static Argument OutSize { get; } =
        Output(8, 4, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) => writer.Unsigned(bytes.UWord(0, bytes.Length)));

    /// <summary>An address that the call fills.</summary>
    public static Argument OutAddress { get; } =
        Output(8, 4, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) => writer.Address(bytes.UWord(0, bytes.Length)));

    /// <summary>A value that the call fills.</summary>
    public static Argument Output(int size, int size32, StructWriter write) => new StructArgument(size, Bracketed(write)) { Size32 = size32, IsOutput = true };

    private static StructWriter Bracketed(StructWriter write) => (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call) =>
    {
        writer.BeginArray();
        writer.Item();
        write(ref writer, bytes, call);
        writer.EndArray();
    };
}
