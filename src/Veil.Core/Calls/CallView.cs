// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Events;
using Veil.Core.Kernel;

namespace Veil.Core.Calls;

/// <summary>A system call in its record: <c>veil_call_t</c>. Valid as long as the record is.</summary>
public readonly ref struct CallView
{
    /// <summary>Its typedef in event structs.</summary>
    public const string TypeName = "veil_call_t";

    /// <summary>Bytes of <c>veil_call_t</c>.</summary>
    public const int SizeBytes = ArgsOffset + (8 * ArgsMax) + EventPart.SizeBytes;

    /// <summary>The most arguments that a call has.</summary>
    public const int ArgsMax = 6;

    /// <summary>Where its part is noted in it.</summary>
    public const int PartOffset = ArgsOffset + (8 * ArgsMax);

    /// <summary>What stands for the result of a call that never returned.</summary>
    public const long NeverReturned = long.MinValue;

    /// <summary>What stands for the result of a call that was under way when the trace ended (<c>VEIL_RET_RUNNING</c>).</summary>
    public const long Running = Events.Kinds.ReturnKind.Running;

    /// <summary>In <see cref="Find"/>, the place of what the call returned.</summary>
    public const int ReturnArg = 7;

    /// <summary>The place of the folder that it was called in.</summary>
    public const int FolderArg = 6;

    /// <summary>Where its result is in it.</summary>
    public const int RetOffset = 8;

    internal const int ArgsOffset = 16;
    private const long ErrnoMax = 4095;

    private readonly ReadOnlySpan<byte> _call;
    private readonly ReadOnlySpan<byte> _row;

    /// <summary>Views a call.</summary>
    /// <param name="record">The record, which was checked.</param>
    /// <param name="offset">Where <c>veil_call_t</c> is in it.</param>
    public CallView(ReadOnlySpan<byte> record, int offset)
    {
        _call = record.Slice(offset, SizeBytes);
        var part = new EventPart(_call[PartOffset..]);
        _row = part.IsAbsent ? default : part.Of(record);
    }

    /// <summary>The call's number in its table.</summary>
    public int Number => BinaryPrimitives.ReadInt32LittleEndian(_call);

    /// <summary>Its table.</summary>
    public SyscallArch Arch => (SyscallArch)BinaryPrimitives.ReadInt32LittleEndian(_call[4..]);

    /// <summary>Are addresses and <c>long</c> of 4 bytes?</summary>
    public bool Is32Bit => Arch is SyscallArch.I386 or SyscallArch.Arm;

    /// <summary>Bytes of an address, and of <c>long</c>.</summary>
    public int WordBytes => Is32Bit ? 4 : 8;

    /// <summary>What it returned: -4095 to -1 is an errno, <see cref="NeverReturned"/> and <see cref="Running"/> that it did not.</summary>
    public long Ret => BinaryPrimitives.ReadInt64LittleEndian(_call[RetOffset..]);

    /// <summary>Did it return an error?</summary>
    public bool HasFailed => Ret is < 0 and >= -ErrnoMax;

    /// <summary>Did it return, and no error?</summary>
    public bool HasSucceeded => HasReturned && !HasFailed;

    /// <summary>Did it return?</summary>
    public bool HasReturned => Ret > Running;

    /// <summary>Was it under way when the trace ended?</summary>
    public bool IsRunning => Ret == Running;

    /// <summary>An argument as the register had it.</summary>
    public ulong this[int arg] => BinaryPrimitives.ReadUInt64LittleEndian(_call[(ArgsOffset + (8 * arg))..]);

    /// <summary>An argument whose type is <c>int</c>.</summary>
    public int Int(int arg) => (int)this[arg];

    /// <summary>An argument whose type is <c>long</c>, or a size with a sign.</summary>
    public long Long(int arg) => Is32Bit ? (int)this[arg] : (long)this[arg];

    /// <summary>Everything that was read, in the order of reading.</summary>
    public ReadOnlySpan<byte> Row => _row;

    /// <summary>
    /// What was read for an argument; of several the one that could be read. One that does not exist where nothing was.
    /// </summary>
    /// <param name="arg">The argument, from 0; <see cref="ReturnArg"/> for what was returned.</param>
    /// <param name="kind">What of it.</param>
    /// <param name="index">Which of these.</param>
    /// <param name="output">What was read at the end, of an argument that is input and output; else input, also where it was read
    /// late.</param>
    public CallChunk Find(int arg, CallChunkKind kind = CallChunkKind.Value, int index = 0, bool output = false)
    {
        CallChunk found = default;
        var row = _row;
        while (CallChunk.TryTake(ref row, out var chunk))
        {
            if (chunk.Arg != arg || chunk.Kind != kind || chunk.Index != index
                || ((chunk.Marks & CallChunkMarks.Output) != CallChunkMarks.None) != output)
                continue;
            if (chunk.IsRead || !found.IsPartial)
                found = chunk;
            if (chunk.IsRead)
                break;
        }

        return found;
    }

    /// <summary>What was read for an argument, at the end if it was read then, else at the beginning.</summary>
    public CallChunk FindAny(int arg, CallChunkKind kind = CallChunkKind.Value, int index = 0) =>
        Find(arg, kind, index, output: true) is { IsRead: true } output ? output : Find(arg, kind, index) is { Exists: true } input ? input
            : Find(arg, kind, index, output: true);
}
