// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Core.Interop;

/// <summary>zlib (zlib.h).</summary>
internal static unsafe partial class LibZ
{
    private const string Library = "libz.so.1";

    [LibraryImport(Library, EntryPoint = "deflateInit2_", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int DeflateInit(
        Stream* stream, int level, int method, int windowBits, int memoryLevel, int strategy, string version, int streamBytes);

    [LibraryImport(Library, EntryPoint = "deflate")]
    internal static partial int Deflate(Stream* stream, int flush);

    [LibraryImport(Library, EntryPoint = "deflateReset")]
    internal static partial int DeflateReset(Stream* stream);

    [LibraryImport(Library, EntryPoint = "deflateEnd")]
    internal static partial int DeflateEnd(Stream* stream);

    [LibraryImport(Library, EntryPoint = "uncompress")]
    private static partial int Uncompress(byte* target, nuint* targetBytes, byte* source, nuint sourceBytes);

    /// <summary>Unpacks a whole zlib stream, which fills the target exactly.</summary>
    internal static bool TryUnpack(ReadOnlySpan<byte> packed, Span<byte> target)
    {
        nuint bytes = (nuint)target.Length;
        fixed (byte* from = packed, to = target)
            return Uncompress(to, &bytes, from, (nuint)packed.Length) == 0 && bytes == (nuint)target.Length;
    }

    /// <summary>Decompresses what may be anything into so many bytes; nothing where it is not that.</summary>
    internal static byte[]? TryUncompress(ReadOnlySpan<byte> from, int bytes)
    {
        byte[] to = new byte[bytes];
        return TryUnpack(from, to) ? to : null;
    }

    // struct z_stream_s
    [StructLayout(LayoutKind.Sequential)]
    internal struct Stream
    {
        public byte* Input;
        public uint InputLeft;
        public nuint InputTotal;
        public byte* Output;
        public uint OutputLeft;
        public nuint OutputTotal;
        public byte* Message;
        public void* State;
        public void* Allocate;
        public void* Free;
        public void* Opaque;
        public int DataType;
        public nuint Checksum;
        public nuint Reserved;
    }
}
