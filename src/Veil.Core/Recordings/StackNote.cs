// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using Veil.Core.Stacks;
using Veil.Core.Symbols;

namespace Veil.Core.Recordings;

/// <summary>A stack as recordings have it: with the names that its frames had.</summary>
internal static class StackNote
{
    /// <summary>The bytes before its frames.</summary>
    public const int HeadBytes = sizeof(ulong) + (3 * sizeof(uint));

    /// <summary>The most bytes that one has.</summary>
    public const int BytesMax = HeadBytes + (TakenStack.FramesMax * FrameBytesMin) + NamesBytesMax;

    private const uint Cut = 4; // VEIL_STACK_CUT
    private const uint CopyCut = 8; // where its copy ended
    private const ushort None = ushort.MaxValue;
    private const int FrameBytesMin = (2 * sizeof(ulong)) + (4 * sizeof(ushort));
    private const int NamesBytesMax = 48 * 1024; // those beyond are left out
    private const int NameCharsMax = 256;

    /// <summary>Writes one.</summary>
    public static byte[] Of(TakenStack stack)
    {
        var frames = stack.Frames(StackTable.Own.Names);
        byte[] note = new byte[BytesMax];
        BinaryPrimitives.WriteUInt64LittleEndian(note, stack.Id);
        BinaryPrimitives.WriteInt32LittleEndian(note.AsSpan(8), stack.Pid);
        BinaryPrimitives.WriteUInt32LittleEndian(note.AsSpan(12), (uint)stack.Kind | (stack.IsCut ? Cut : 0) | (stack.IsCopyCut ? CopyCut : 0));
        BinaryPrimitives.WriteInt32LittleEndian(note.AsSpan(16), frames.Count);
        var rest = note.AsSpan(HeadBytes);
        int names = 0;
        foreach (var frame in frames)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(rest, frame.Address);
            BinaryPrimitives.WriteUInt64LittleEndian(rest[sizeof(ulong)..], frame.Offset);
            rest = rest[(2 * sizeof(ulong))..];
            foreach (string? name in (ReadOnlySpan<string?>)[frame.Symbol, frame.File, frame.BuildId, frame.Source])
                names += AppendName(ref rest, name, NamesBytesMax - names);
        }

        return note[..^rest.Length];
    }

    /// <summary>Reads one.</summary>
    /// <exception cref="RecordingException">It is cut off.</exception>
    public static TakenStack Read(ReadOnlySpan<byte> note)
    {
        ulong id = BinaryPrimitives.ReadUInt64LittleEndian(note);
        int pid = BinaryPrimitives.ReadInt32LittleEndian(note[8..]);
        uint kind = BinaryPrimitives.ReadUInt32LittleEndian(note[12..]), count = BinaryPrimitives.ReadUInt32LittleEndian(note[16..]);
        if (count > TakenStack.FramesMax)
            throw new RecordingException("a block is damaged: a stack has more frames than there can be");
        var frames = new StackFrame[count];
        note = note[HeadBytes..];
        for (int i = 0; i < frames.Length; i++)
        {
            if (note.Length < FrameBytesMin)
                throw new RecordingException("a block is damaged: a note is cut off");
            ulong address = BinaryPrimitives.ReadUInt64LittleEndian(note), offset = BinaryPrimitives.ReadUInt64LittleEndian(note[sizeof(ulong)..]);
            note = note[(2 * sizeof(ulong))..];
            string? symbol = TakeName(ref note), file = TakeName(ref note), buildId = TakeName(ref note), source = TakeName(ref note);
            frames[i] = new(address, symbol, offset, file, buildId, source);
        }

        return TakenStack.Named(id, pid, (StackKinds)(kind & ~(Cut | CopyCut)), (kind & Cut) != 0, frames, (kind & CopyCut) != 0);
    }

    private static int AppendName(ref Span<byte> rest, string? name, int room)
    {
        int length = name is null ? 0 : Encoding.UTF8.GetByteCount(name);
        if (name is null || length > Math.Min(room, NameCharsMax * 4))
        {
            BinaryPrimitives.WriteUInt16LittleEndian(rest, None);
            rest = rest[sizeof(ushort)..];
            return 0;
        }

        BinaryPrimitives.WriteUInt16LittleEndian(rest, (ushort)length);
        Encoding.UTF8.GetBytes(name, rest[sizeof(ushort)..]);
        rest = rest[(sizeof(ushort) + length)..];
        return length;
    }

    private static string? TakeName(ref ReadOnlySpan<byte> note)
    {
        if (note.Length >= sizeof(ushort) && BinaryPrimitives.ReadUInt16LittleEndian(note) == None)
        {
            note = note[sizeof(ushort)..];
            return null;
        }

        return Encoding.UTF8.GetString(RecordedNames.TakeSized(ref note));
    }
}
