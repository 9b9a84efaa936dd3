// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Core.Interop;

/// <summary>libzstd: a frame at a time, whose size is known on both sides.</summary>
internal static unsafe partial class Zstd
{
    private const string Library = "libzstd.so.1";

    // The fastest level with a table of matches. What is given to it was rearranged, and higher ones gain a few percent only.
    private const int Level = 1;

    /// <summary>The most that a frame of so many bytes can have.</summary>
    public static int BoundOf(int length) => checked((int)CompressBound((nuint)length));

    /// <summary>Compresses; the length of the frame.</summary>
    public static int Compress(ReadOnlySpan<byte> from, Span<byte> to)
    {
        fixed (byte* source = from, target = to)
        {
            nuint length = Compress(target, (nuint)to.Length, source, (nuint)from.Length, Level);
            return IsError(length) == 0 ? (int)length : throw new InvalidOperationException("zstd has no room for a frame");
        }
    }

    /// <summary>How many bytes a frame of our own holds.</summary>
    public static long SizeOf(ReadOnlySpan<byte> frame)
    {
        fixed (byte* source = frame)
            return checked((long)FrameContentSize(source, (nuint)frame.Length));
    }

    /// <summary>Decompresses a frame of exactly that size, whatever the bytes are.</summary>
    /// <returns>False where it is no such frame.</returns>
    public static bool TryDecompress(ReadOnlySpan<byte> from, Span<byte> to)
    {
        fixed (byte* source = from, target = to)
            return Decompress(target, (nuint)to.Length, source, (nuint)from.Length) == (nuint)to.Length;
    }

    [LibraryImport(Library, EntryPoint = "ZSTD_compressBound")]
    private static partial nuint CompressBound(nuint length);

    [LibraryImport(Library, EntryPoint = "ZSTD_compress")]
    private static partial nuint Compress(byte* to, nuint room, byte* from, nuint length, int level);

    [LibraryImport(Library, EntryPoint = "ZSTD_decompress")]
    private static partial nuint Decompress(byte* to, nuint room, byte* from, nuint length);

    [LibraryImport(Library, EntryPoint = "ZSTD_getFrameContentSize")]
    private static partial ulong FrameContentSize(byte* from, nuint length);

    [LibraryImport(Library, EntryPoint = "ZSTD_isError")]
    private static partial uint IsError(nuint result);
}
