// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Core.Interop;

/// <summary>liblzma: a whole .xz file at once (lzma/container.h).</summary>
internal static unsafe partial class LibLzma
{
    private const string Library = "liblzma.so.5";
    private const ulong MemoryMax = 64 << 20;

    /// <summary>Decompresses what may be anything.</summary>
    /// <param name="from">The file.</param>
    /// <param name="bytesMax">The most that it may hold.</param>
    /// <returns>What it holds; nothing where it is no such file, or too large.</returns>
    public static byte[]? TryDecompress(ReadOnlySpan<byte> from, int bytesMax)
    {
        const int tooSmall = 10; // LZMA_BUF_ERROR: the output's room here, as the input is whole
        for (int room = Math.Min(bytesMax, Math.Max(1 << 16, from.Length * 4)); ; room = Math.Min(bytesMax, room * 4))
        {
            byte[] to = new byte[room];
            ulong memory = MemoryMax;
            nuint taken = 0, made = 0;
            int result;
            fixed (byte* source = from, target = to)
                result = Decode(&memory, 0, 0, source, &taken, (nuint)from.Length, target, &made, (nuint)room);
            if (result == 0)
                return to[..(int)made];
            if (result != tooSmall || room == bytesMax)
                return null;
        }
    }

    [LibraryImport(Library, EntryPoint = "lzma_stream_buffer_decode")]
    private static partial int Decode(
        ulong* memoryMax, uint flags, nint allocator, byte* from, nuint* taken, nuint size, byte* to, nuint* made, nuint room);
}
