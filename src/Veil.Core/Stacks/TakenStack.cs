// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Veil.Core.Symbols;
using Veil.Core.Text;

namespace Veil.Core.Stacks;

/// <summary>
/// A stack as the kernel took it. Its frames are named when it is first shown, and what it looks like is kept: most events have a stack that
/// others had before.
/// </summary>
public sealed class TakenStack
{
    /// <summary>The most that a stack takes in any output, in bytes.</summary>
    public const int TextBytesMax = (RoomForNames + (FramesMax * FrameBytesMin)) * 2;

    internal const int FramesMax = 127; // VEIL_STACK_FRAMES
    internal const int FramesOffset = 64; // of struct veil_stack, and below of its other members
    private const int PidOffset = 16;
    private const int IdOffset = 40;
    private const int TimeOffset = 48;
    private const int CountOffset = 56;
    private const int KindOffset = 60;
    private const uint Cut = 4; // VEIL_STACK_CUT

    // Names may be made as long as somebody likes. Frames beyond that have their address alone.
    private const int RoomForNames = 96 * 1024;
    private const int FrameBytesMin = 160;
    private const int NameBytesMax = 256; // of a symbol or a file; escaped, six times as many
    private const int NamesOfFrameMax = 8 * 1024;

    private static readonly Lock s_lock = new();

    [ThreadStatic]
    private static byte[]? t_room;

    private StackFrame[]? _frames;
    private byte[]? _text;
    private byte[]? _json;
    private byte[]? _folded;

    internal TakenStack(ulong id, int pid, long timeNs, StackKinds kind, bool isCut, ulong[] addresses)
    {
        Id = id;
        Pid = pid;
        TimeNs = timeNs;
        Kind = kind;
        IsCut = isCut;
        Addresses = addresses;
    }

    /// <summary>A hash of the frames, and of a user's stack of its process too.</summary>
    public ulong Id { get; }

    /// <summary>The process, by its thread group id in the initial PID namespace.</summary>
    public int Pid { get; }

    /// <summary>When it was first seen, nanoseconds of CLOCK_MONOTONIC.</summary>
    public long TimeNs { get; }

    /// <summary>User or kernel.</summary>
    public StackKinds Kind { get; }

    /// <summary>Has it as many frames as the kernel gives at most?</summary>
    public bool IsCut { get; }

    /// <summary>Was it cut where the copy of its memory ended?</summary>
    public bool IsCopyCut { get; init; }

    /// <summary>A bit for each address that no call returns to.</summary>
    internal UInt128 Exact { get; init; } = 1;

    /// <summary>The addresses, the innermost first.</summary>
    public IReadOnlyList<ulong> Addresses { get; }

    /// <summary>Reads a <c>struct veil_stack</c>.</summary>
    /// <returns>Nothing where the record is damaged.</returns>
    internal static TakenStack? Read(ReadOnlySpan<byte> record)
    {
        if (record.Length < FramesOffset)
            return null;
        int count = (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(record[CountOffset..]), FramesMax);
        uint kind = BinaryPrimitives.ReadUInt32LittleEndian(record[KindOffset..]);
        if (record.Length < FramesOffset + (count * sizeof(ulong)))
            return null;
        return new(
            BinaryPrimitives.ReadUInt64LittleEndian(record[IdOffset..]), BinaryPrimitives.ReadInt32LittleEndian(record[PidOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(record[TimeOffset..]), (StackKinds)(kind & ~Cut), (kind & Cut) != 0,
            MemoryMarshal.Cast<byte, ulong>(record.Slice(FramesOffset, count * sizeof(ulong))).ToArray());
    }

    /// <summary>A stack whose frames have been named.</summary>
    internal static TakenStack Named(ulong id, int pid, StackKinds kind, bool isCut, StackFrame[] frames, bool isCopyCut = false) =>
        new(id, pid, 0, kind, isCut, [.. frames.Select(static frame => frame.Address)]) { _frames = frames, IsCopyCut = isCopyCut };

    /// <summary>The frames with their names, the innermost first.</summary>
    /// <param name="names">Names them; none: they have their addresses alone.</param>
    public IReadOnlyList<StackFrame> Frames(IStackNames? names)
    {
        // Counts are shown by other threads too (--metrics), and names are for one.
        lock (s_lock)
        {
            if (_frames is null)
            {
                _frames = Resolve(names);
                if (Kind == StackKinds.User && !IsCut)
                    StackEnds.Note(_frames);
            }

            return _frames;
        }
    }

    // A line a frame, below the event's, each behind its line break.
    internal ReadOnlySpan<byte> Text(IStackNames? names) => _text ??= Render(names, static (ref LineWriter line, in StackFrame frame, bool hasName, StackKinds kind) =>
    {
        line.Append("\n    "u8);
        if (hasName && frame.Symbol is { } symbol)
        {
            AppendText(ref line, symbol);
            line.Append("+0x"u8);
            line.AppendHex(frame.Offset);
        }
        else
        {
            line.Append("0x"u8);
            line.AppendHex(frame.Address);
        }

        if (hasName && frame.File is { } file)
        {
            line.Append(" ("u8);
            AppendText(ref line, file);
            if (frame.Symbol is null)
            {
                line.Append("+0x"u8);
                line.AppendHex(frame.Offset);
            }

            line.Append(")"u8);
        }

        if (hasName && frame.Source is { } source)
        {
            line.Append(" "u8);
            AppendText(ref line, source);
        }
    }, WhyCut());

    private byte[] WhyCut() => IsCopyCut ? "\n    (cut off: more of it than was copied; --stack-copy)"u8.ToArray()
        : IsCut ? Encoding.UTF8.GetBytes($"\n    (cut off: the kernel gives {Addresses.Count} frames; sysctl kernel.perf_event_max_stack)") : [];

    internal ReadOnlySpan<byte> Json(IStackNames? names)
    {
        if (_json is not null)
            return _json;
        byte[] frames = Render(names, static (ref LineWriter line, in StackFrame frame, bool hasName, StackKinds kind) =>
        {
            line.Append(line.Length == 0 ? "[{\"symbol\":"u8 : ",{\"symbol\":"u8);
            AppendJson(ref line, hasName ? frame.Symbol : null);
            line.Append(",\"offset\":"u8);
            line.Append(frame.Offset);
            line.Append(",\"file\":"u8);
            AppendJson(ref line, hasName ? frame.File : null);
            line.Append(",\"build_id\":"u8);
            AppendJson(ref line, hasName ? frame.BuildId : null);
            line.Append(",\"address\":\"0x"u8);
            line.AppendHex(frame.Address);
            line.Append((byte)'"');
            if (hasName && frame.Source is { } source)
            {
                line.Append(",\"source\":"u8);
                AppendJson(ref line, source);
            }

            line.Append((byte)'}');
        }, IsCut ? ",{\"symbol\":\"[cut]\",\"offset\":0,\"file\":null,\"build_id\":null,\"address\":null}]"u8 : "]"u8);
        return _json = frames.Length == 1 ? "[]"u8.ToArray() : frames;
    }

    // The innermost first, with nothing that such lines are split at.
    internal ReadOnlySpan<byte> Folded(IStackNames? names) => _folded ??= Render(names, static (ref LineWriter line, in StackFrame frame, bool hasName, StackKinds kind) =>
    {
        if (line.Length > 0)
            line.Append((byte)';');
        int start = line.Length;
        if (hasName && (frame.Symbol ?? frame.File) is { } name)
        {
            AppendText(ref line, name.Replace(';', ':'));
            if (frame.Symbol is null)
            {
                line.Append("+0x"u8);
                line.AppendHex(frame.Offset);
            }
        }

        if (line.Length == start)
        {
            line.Append("0x"u8);
            line.AppendHex(frame.Address);
        }

        if (kind == StackKinds.Kernel)
            line.Append("_[k]"u8);
    }, IsCut ? ";[cut]"u8 : []);

    private delegate void FrameWriter(ref LineWriter line, in StackFrame frame, bool hasName, StackKinds kind);

    private byte[] Render(IStackNames? names, FrameWriter write, ReadOnlySpan<byte> end)
    {
        var frames = Frames(names);
        var line = new LineWriter(t_room ??= new byte[TextBytesMax]);
        for (int i = 0; i < frames.Count; i++)
        {
            var frame = frames[i];
            write(ref line, frame, line.Length < RoomForNames - NamesOfFrameMax, Kind);
        }

        line.Append(end);
        return line.Written.ToArray();
    }

    private StackFrame[] Resolve(IStackNames? names)
    {
        var frames = new StackFrame[Kind == StackKinds.Kernel ? Addresses.Count : CodeFrames()];
        for (int i = 0; i < frames.Length; i++)
        {
            ulong address = Addresses[i];
            frames[i] = names is null ? new(address, null, 0, null, null, null)
                : Kind == StackKinds.Kernel ? names.Kernel(address, isReturn: i > 0)
                : names.User(Pid, address, TimeNs, isReturn: ((Exact >> i) & 1) == 0);
        }

        return Kind == StackKinds.Kernel ? frames[KernelStackFrames.MachineryOf(frames)..] : frames;
    }

    // Where code keeps something else in the frame pointer's register, what the kernel finds there is no address: it is data, and may be text.
    private int CodeFrames()
    {
        const ulong userEnd = 1UL << 56; // of x86-64 with five levels of page tables; arm64 has less
        for (int i = 1; i < Addresses.Count; i++)
        {
            if (Addresses[i] is 0 or >= userEnd)
                return i;
        }

        return Addresses.Count;
    }

    private static void AppendText(ref LineWriter line, string text) => Escaping.AppendText(ref line, Utf8(text, stackalloc byte[NameBytesMax]));

    private static void AppendJson(ref LineWriter line, string? text)
    {
        if (text is null)
        {
            line.Append("null"u8);
            return;
        }

        line.Append((byte)'"');
        Escaping.AppendJson(ref line, Utf8(text, stackalloc byte[NameBytesMax]));
        line.Append((byte)'"');
    }

    // Longer names are cut.
    private static ReadOnlySpan<byte> Utf8(string text, Span<byte> room)
    {
        var most = text.AsSpan();
        while (Encoding.UTF8.GetByteCount(most) > room.Length)
            most = most[..Math.Min(most.Length - 1, room.Length)];
        return room[..Encoding.UTF8.GetBytes(most, room)];
    }
}
