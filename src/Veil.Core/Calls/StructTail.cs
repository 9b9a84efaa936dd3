// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Calls;

/// <summary>What a caller gave behind the end of a structure whose size it says: a newer kernel's fields, or rubbish.</summary>
internal static class StructTail
{
    /// <summary>Bytes of it that are read.</summary>
    public const int BytesMax = 64;

    /// <summary>Writes it where it is not 0: <c>/* bytes 24..31 */ "\x55\x00…"</c>; <c>...</c> in JSON nowhere.</summary>
    /// <param name="writer">Where to, in the structure.</param>
    /// <param name="call">The call.</param>
    /// <param name="position">The argument; the next says the size.</param>
    /// <param name="known">Bytes of the structure as it is known.</param>
    public static void Write(ref CallWriter writer, in CallView call, int position, int known)
    {
        ulong size = call[position + 1];
        var chunk = call.Find(position);
        if (writer.IsJson || size <= (ulong)known || !chunk.Exists)
            return;
        var tail = chunk.Bytes.Length > known ? chunk.Bytes[known..] : default;
        if (tail.IsEmpty)
        {
            writer.More(call[position] + (ulong)known);
            return;
        }

        if (!tail.ContainsAnyExcept((byte)0))
            return;
        writer.Item();
        writer.TextOnly("/* bytes "u8);
        writer.Unsigned((ulong)known);
        writer.TextOnly(".."u8);
        writer.Unsigned(size - 1);
        writer.TextOnly(" */ "u8);
        var shown = writer.Cut(tail);
        FileArguments.HexString(ref writer, shown, size > (ulong)(known + shown.Length));
    }
}
