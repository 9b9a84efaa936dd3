// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using Veil.Core.Events;
using Veil.Core.Kernel;

namespace Veil.Core.Calls;

/// <summary>An argument as a key of <c>--count-by args.NAME</c>: a string, or what stands in the register where that says all.</summary>
internal static class CountedArgument
{
    private const int NumberBytes = 16; // struct veil_syscall, and the argument

    /// <summary>The place of an argument that can be a key; false where the call has none of that name.</summary>
    public static bool TryFind(KnownCall known, string name, bool is32Bit, out int place)
    {
        var arguments = known.Spec.Arguments;
        for (place = 0; place < arguments.Count; place++)
        {
            if (Encoding.UTF8.GetString(known.Names[place]) == name)
                return CanBeKey(arguments[place], place, is32Bit);
        }

        return false;
    }

    /// <summary>Is there a call with such an argument?</summary>
    public static bool Exists(string name) => TryFindCall(name, isText: false, out _, out _);

    /// <summary>Writes a call as if it had this argument and nothing else.</summary>
    /// <param name="record">The record, zeroed.</param>
    /// <param name="offset">Where <c>veil_call_t</c> is in it.</param>
    /// <param name="structBytes">Where its parts begin.</param>
    /// <param name="name">The argument.</param>
    /// <param name="bytes">The key that the kernel counted by.</param>
    /// <param name="isNumber">It is a number behind its call, and no text.</param>
    public static void Write(Span<byte> record, int offset, int structBytes, string name, ReadOnlySpan<byte> bytes, bool isNumber)
    {
        var call = record[offset..];
        int place;
        if (isNumber)
        {
            bytes[..8].CopyTo(call);
            var arch = (SyscallArch)BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
            var known = CallTable.Of(arch, BinaryPrimitives.ReadInt32LittleEndian(bytes));
            if (TryFind(known, name, arch is SyscallArch.I386 or SyscallArch.Arm, out place))
                bytes[8..NumberBytes].CopyTo(call[(CallView.ArgsOffset + (8 * place))..]);
            return;
        }

        TryFindCall(name, isText: true, out int number, out place);
        BinaryPrimitives.WriteInt32LittleEndian(call, number);
        BinaryPrimitives.WriteInt32LittleEndian(call[4..], (int)SyscallTable.Native);
        BinaryPrimitives.WriteUInt64LittleEndian(call[(CallView.ArgsOffset + (8 * place))..], 1);
        CallChunk.WriteHeader(record[structBytes..], 1, bytes.Length, place, 0, CallChunkMarks.None, CallChunkKind.Value);
        bytes.CopyTo(record[(structBytes + CallChunk.HeaderBytes)..]);
        new EventPart((uint)structBytes, CallChunk.HeaderBytes + bytes.Length, isTruncated: false, isDeleted: false)
            .Write(call[CallView.PartOffset..]);
    }

    private static bool TryFindCall(string name, bool isText, out int number, out int place)
    {
        var table = SyscallTable.For(SyscallTable.Native);
        for (number = 0; number < CallPlan.TableCalls; number++)
        {
            if (table.NameUtf8(number).IsEmpty)
                continue;
            var known = CallTable.Of(SyscallTable.Native, number);
            if (TryFind(known, name, is32Bit: false, out place) && (!isText || IsText(known.Spec.Arguments[place], place, is32Bit: false)))
                return true;
        }

        place = 0;
        return false;
    }

    private static bool CanBeKey(Argument argument, int place, bool is32Bit) => IsText(argument, place, is32Bit)
        || (argument.Input(place, CallOptions.Current, is32Bit).Read == CallRead.None
            && argument.Output(place, CallOptions.Current, is32Bit).Read == CallRead.None);

    private static bool IsText(Argument argument, int place, bool is32Bit) =>
        argument.Input(place, CallOptions.Current, is32Bit).Read == CallRead.String;
}
