// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using Veil.Core.Containers;

namespace Veil.Core.Privileged;

/// <summary>A question about a path and its answer, as they go between a trace and its helper: words, then bytes of paths.</summary>
internal static class PathMessage
{
    /// <summary>The longest of either: an answer may have two paths.</summary>
    public const int BytesMax = HeadBytes + (2 * PathBytesMax);

    /// <summary>Bytes before the first path.</summary>
    public const int HeadBytes = 8 * sizeof(uint);

    private const int PathBytesMax = 4096;

    /// <summary>Writes a question; the first three words are the request's.</summary>
    public static int WriteQuestion(Span<byte> message, in PathQuestion question)
    {
        Word(message, 3, question.User);
        Word(message, 4, (uint)question.Error);
        Word(message, 5, (uint)question.Need);
        return HeadBytes + Text(message[HeadBytes..], question.Path);
    }

    /// <summary>Reads it.</summary>
    public static PathQuestion ReadQuestion(ReadOnlySpan<byte> message) =>
        new(Word(message, 1), Word(message, 3), (int)Word(message, 4), (PathNeed)Word(message, 5),
            Encoding.Latin1.GetString(message[HeadBytes..]));

    /// <summary>Writes an answer; the first two words are those of every answer.</summary>
    public static int WriteAnswer(Span<byte> message, in PathRefusal refusal)
    {
        Word(message, 2, (uint)refusal.Kind);
        Word(message, 3, refusal.Mode);
        Word(message, 4, refusal.Owner);
        Word(message, 5, refusal.Caller);
        Word(message, 7, refusal.Group);
        int length = Text(message[HeadBytes..], refusal.Path ?? "");
        Word(message, 6, (uint)length);
        return HeadBytes + length + Text(message[(HeadBytes + length)..], refusal.Other ?? "");
    }

    /// <summary>Reads it.</summary>
    public static PathRefusal ReadAnswer(ReadOnlySpan<byte> message)
    {
        var paths = message[HeadBytes..];
        int length = (int)Math.Min(Word(message, 6), (uint)paths.Length);
        return new(
            (PathRefusalKind)Word(message, 2), Encoding.Latin1.GetString(paths[..length]), Encoding.Latin1.GetString(paths[length..]),
            Word(message, 3), Word(message, 4), Word(message, 5), Word(message, 7));
    }

    /// <summary>Writes a text; the first three words are the request's.</summary>
    public static int WriteText(Span<byte> message, string text) => HeadBytes + Utf8(message[HeadBytes..], text);

    /// <summary>Reads it.</summary>
    public static string ReadText(ReadOnlySpan<byte> message) => Encoding.UTF8.GetString(message[HeadBytes..]);

    /// <summary>Writes a container; the first two words are those of every answer.</summary>
    public static int WriteContainer(Span<byte> message, Container? container)
    {
        if (container is not { } c)
            return HeadBytes;
        // No name has a NUL; what is not known is none.
        string text = string.Join('\0', c.Id, c.Runtime, c.Name, c.Image, c.Pod, c.PodNamespace, c.PodUid, c.CgroupPath);
        return HeadBytes + Utf8(message[HeadBytes..], text);
    }

    /// <summary>Reads it.</summary>
    public static Container? ReadContainer(ReadOnlySpan<byte> message) =>
        Encoding.UTF8.GetString(message[HeadBytes..]).Split('\0').Select(static text => text.Length == 0 ? null : text).ToArray()
            is [{ } id, { } runtime, var name, var image, var pod, var space, var uid, { } path]
            ? new(id, runtime, name, image, pod, space, uid, path) : null;

    private static int Utf8(Span<byte> to, string text) => Encoding.UTF8.TryGetBytes(text, to[..(2 * PathBytesMax)], out int length) ? length : 0;

    private static void Word(Span<byte> message, int number, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(message[(number * sizeof(uint))..], value);

    private static uint Word(ReadOnlySpan<byte> message, int number) =>
        BinaryPrimitives.ReadUInt32LittleEndian(message[(number * sizeof(uint))..]);

    private static int Text(Span<byte> to, string text)
    {
        int length = Math.Min(text.Length, PathBytesMax);
        return Encoding.Latin1.GetBytes(text.AsSpan(0, length), to);
    }
}
