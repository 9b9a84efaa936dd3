// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Symbols;
using Veil.Core.Unwinding;

namespace Veil.Core.Stacks;

/// <summary>
/// Stacks that come as copies of their memory (<c>struct veil_copy</c> of <c>bpf/veil/stack.bpf.h</c>): each is unwound as it comes, its
/// frames go into a <see cref="StackTable"/> as if the kernel had told them, and the bytes are forgotten. For one thread.
/// </summary>
internal sealed class CopiedStacks
{
    /// <summary>Marks their records in the ring (<c>VEIL_KIND_COPY</c>).</summary>
    public const uint Kind = 252;

    /// <summary>The least that is copied of a stack, and its unit.</summary>
    public const int PageBytes = 4096;

    /// <summary>The most.</summary>
    public const int BytesMax = 16 * PageBytes;

    /// <summary>What is copied where nothing else is asked for.</summary>
    public const int UsualBytes = 4 * PageBytes;

    /// <summary>A ring has room for so many copies at least.</summary>
    public const int CopiesInRing = 8;

    internal const int IdOffset = 40; // of struct veil_copy, and below of its other members
    internal const int TimeOffset = 48;
    internal const int SpaceOffset = 56;
    internal const int WalkedOffset = 64;
    internal const int SizeOffset = 72;
    internal const int RegistersOffset = 80;
    private const int PidOffset = 16;

    // Events may keep the stack of an earlier moment. Ids of so many copies are known, and of as many before them.
    private const int IdsMax = 64 * 1024;

    private readonly StackTable _table;
    private readonly StackNames _names;
    private readonly FrameRegisters _machine;
    private Dictionary<ulong, ulong> _young = [];
    private Dictionary<ulong, ulong> _old = [];

    /// <summary>Makes it.</summary>
    /// <param name="table">Takes the stacks.</param>
    /// <param name="names">Knows what processes have mapped.</param>
    public CopiedStacks(StackTable table, StackNames names) => (_table, _names, _machine) = (table, names, FrameRegisters.Own);

    /// <summary>Takes a record of the ring. One that is damaged is forgotten.</summary>
    public void Take(ReadOnlySpan<byte> record)
    {
        int memoryAt = RegistersOffset + (_machine.KernelCount * sizeof(ulong));
        if (record.Length < memoryAt)
            return;
        ulong id = U64(record, IdOffset), space = U64(record, SpaceOffset), walked = U64(record, WalkedOffset);
        int pid = BinaryPrimitives.ReadInt32LittleEndian(record[PidOffset..]);
        long timeNs = (long)U64(record, TimeOffset);
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(record[SizeOffset..]);
        Span<ulong> registers = stackalloc ulong[_machine.Count];
        for (int i = 0; i < registers.Length; i++)
            registers[i] = U64(record, RegistersOffset + (_machine.Kernel[i] * sizeof(ulong)));
        ulong code = U64(record, RegistersOffset + (_machine.CodeAt * sizeof(ulong)));

        ulong stack = registers[_machine.Stack], below = stack % PageBytes;
        var bytes = record[memoryAt..];
        bytes = bytes[..(int)Math.Min(size, (uint)bytes.Length)];
        var memory = new StackMemory(stack, bytes.Length > (int)below ? bytes[(int)below..] : default);
        Span<ulong> addresses = stackalloc ulong[TakenStack.FramesMax];
        var process = new ProcessCode(_names, pid, timeNs);
        int count = StackUnwinder.Unwind(_machine, registers, code, memory, ref process, addresses, out var exact, out var end);
        bool isCut = end is UnwindEnd.Full or UnwindEnd.BeyondCopy, isCopied = end == UnwindEnd.BeyondCopy;
        if (isCopied && _table.Find(walked) is { } other && GoOn(other.Addresses, ref process, addresses, ref count))
            (isCut, isCopied) = (other.IsCut || count == addresses.Length, false);
        Know(id, count == 0 ? walked : Add(addresses[..count]));

        ulong Add(Span<ulong> frames)
        {
            ulong hash = HashOf(space, frames);
            if (_table.Find(hash) is null)
                _table.Add(new(hash, pid, timeNs, StackKinds.User, isCut, frames.ToArray()) { Exact = exact, IsCopyCut = isCopied });
            return hash;
        }
    }

    /// <summary>The id that an event has instead of that of its copy; 0 where its stack is not known.</summary>
    public ulong IdOf(ulong id)
    {
        if (id == 0)
            return 0;
        if (_young.TryGetValue(id, out ulong known) || _old.TryGetValue(id, out known))
            return known;
        return _table.Find(id) is null ? 0 : id;
    }

    // Where the copy has led is one of those that frame pointers lead to, and the rest is theirs, as long as each function keeps one. True
    // where nothing was left out.
    private bool GoOn(IReadOnlyList<ulong> walked, ref ProcessCode process, Span<ulong> addresses, ref int count)
    {
        for (int next = Meet(walked, addresses[..count]) + 1; next > 0 && next < walked.Count && count < addresses.Length; next++)
        {
            if (process.TryFind(walked[next - 1] - 1, out var row) && row is not null && row.AddressRegister != _machine.Frame)
                return false;
            addresses[count++] = walked[next];
            if (next == walked.Count - 1 || count == addresses.Length)
                return true;
        }

        return false;
    }

    // The place with the most frames before it that both have: of a function that calls itself there are many. Negative: there is none.
    private static int Meet(IReadOnlyList<ulong> walked, ReadOnlySpan<ulong> addresses)
    {
        int best = -1, most = 0;
        for (int i = 0; i < walked.Count; i++)
        {
            int same = 0;
            while (same <= i && same < addresses.Length && walked[i - same] == addresses[^(same + 1)])
                same++;
            if (same > most)
                (best, most) = (i, same);
        }

        return best;
    }

    // As the kernel hashes those that it walks (veil_stack_end()).
    private static ulong HashOf(ulong space, ReadOnlySpan<ulong> frames)
    {
        const ulong factor = 0x9fb21c651e98df25;
        const int shift = 29;
        ulong hash = space;
        foreach (ulong frame in frames)
        {
            hash = (hash ^ frame) * factor;
            hash ^= hash >> shift;
        }

        return hash == 0 ? 1 : hash;
    }

    private void Know(ulong id, ulong known)
    {
        if (_young.Count >= IdsMax)
            (_old, _young) = (_young, []);
        _young[id] = known;
    }

    private static ulong U64(ReadOnlySpan<byte> record, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(record[offset..]);
}
