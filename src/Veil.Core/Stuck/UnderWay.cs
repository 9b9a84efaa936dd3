// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Veil.Bpf;
using Veil.Core.Calls;
using Veil.Core.Interop;

namespace Veil.Core.Stuck;

/// <summary>
/// The calls that are under way as a trace begins: one look at the tasks, and what the arguments lead to, read from outside and given to
/// the programs that see calls end.
/// </summary>
public static class UnderWay
{
    /// <summary>Looks.</summary>
    /// <param name="look">The iterator.</param>
    /// <param name="known">Where the programs find it: <c>struct syscall_known</c> by thread.</param>
    /// <param name="options">How much of the arguments is shown.</param>
    public static void Note(BpfProgram look, BpfMap known, CallOptions options)
    {
        var input = new CallInput();
        var descriptors = new DescriptorNames();
        var calls = new BpfHashMap<uint, KnownCall>(known);
        TaskLook.Read(look, (in StuckTask task, ReadOnlySpan<ulong> _) =>
        {
            var call = input.Read(task, options, descriptors);
            KnownCall value = default;
            Fill(value, task, call, options);
            calls.Set(task.Tid, value);
        });
    }

    private static void Fill(Span<byte> to, in StuckTask task, in CallView call, CallOptions options)
    {
        var row = call.Row;
        // What does not fit is read at the end.
        int size = 0;
        uint unread = 0;
        var spec = CallTable.Of(call).Spec;
        for (int arg = 0; arg < spec.Arguments.Count; arg++)
        {
            if (call[arg] != 0 && spec.Arguments[arg].Input(arg, options, call.Is32Bit).Read != CallRead.None && !call.Find(arg).IsRead)
                unread |= 1u << arg;
        }

        if (spec.Nested.Any(static nested => !nested.IsOutput))
            unread |= KnownCall.UnreadNested;
        while (CallChunk.TryTake(ref row, out var chunk))
        {
            int bytes = call.Row.Length - row.Length;
            if (bytes > KnownCall.BytesMax - KnownCall.OriginBytesMax)
                unread |= 1u << (chunk.Arg & 7);
            else
                size = bytes;
            if (!chunk.IsRead)
                unread |= 1u << (chunk.Arg & 7);
        }

        BinaryPrimitives.WriteUInt64LittleEndian(to, (ulong)LibC.NowNs(LibC.ClockBoottime) - (task.OffCpuNs ?? 0));
        BinaryPrimitives.WriteInt32LittleEndian(to[8..], task.Number);
        BinaryPrimitives.WriteInt32LittleEndian(to[12..], (int)task.Arch);
        for (int arg = 0; arg < CallView.ArgsMax; arg++)
            BinaryPrimitives.WriteUInt64LittleEndian(to[(16 + (8 * arg))..], task.Args[arg]);
        BinaryPrimitives.WriteUInt32LittleEndian(to[KnownCall.UnreadOffset..],
            unread & (((1u << CallView.ArgsMax) - 1) | KnownCall.UnreadNested));
        BinaryPrimitives.WriteInt32LittleEndian(to[(KnownCall.UnreadOffset + 4)..], size);
        call.Row[..size].CopyTo(to[KnownCall.HeadBytes..]);
    }

    // struct syscall_known
    [InlineArray(HeadBytes + BytesMax)]
    private struct KnownCall
    {
        public const int BytesMax = 7680; // SYSCALL_BYTES
        public const int OriginBytesMax = 64; // struct veil_origin is put before
        public const uint UnreadNested = 1 << 8; // SYSCALL_UNREAD_NESTED
        public const int UnreadOffset = 16 + (8 * CallView.ArgsMax);
        public const int HeadBytes = UnreadOffset + 8;

        private byte _first;
    }
}
