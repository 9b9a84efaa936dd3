// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;

namespace Veil.Core.Calls;

/// <summary>Calls on memory.</summary>
internal static class MemoryCalls
{
    // include/uapi/asm-generic/mman-common.h and include/uapi/asm-generic/hugetlb_encode.h
    private const uint MapType = 0xf, HugeMask = 0x3f, RemapWithAddress = 2 | 4;
    private const int HugeShift = 26;

    // get_mempolicy() and its like on masks of more than 1024 nodes are not known.
    private const int NodeMaskBytes = 136;
    private const uint NodesPerLong = 64;

    private static readonly Argument s_prot = LongFlags(FlagSets.MmapProt);

    private static readonly StructLayout s_range = new(StructField.U64("off"), StructField.U64("len"));
    private static readonly StructLayout s_cacheStat = new(StructField.U64("nr_cache"), StructField.U64("nr_dirty"),
        StructField.U64("nr_writeback"), StructField.U64("nr_evicted"), StructField.U64("nr_recently_evicted"));
    private static readonly Argument s_mapFlags = new OwnArgument(MapFlags);
    private static readonly Argument s_newAddress = new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
        writer.Address(call[position]))
    {
        Omitted = static (in CallView call, int position) => (call[position - 1] & RemapWithAddress) == 0,
    };

    private static readonly Argument s_addresses =
        new ArrayArgument(8, 1, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        writer.Address(bytes.UWord(0, bytes.Length)))
        { Unit32 = 4 };
    private static readonly Argument s_nodeNumbers =
        new ArrayArgument(4, 1, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        writer.Number(bytes.I32(0)));
    private static readonly Argument s_pageStatus = new ArrayArgument(4, 1, PageStatus) { IsOutput = true };

    /// <summary>Them.</summary>
    public static IEnumerable<CallSpec> All =>
    [
        new("mmap", Address, Size, s_prot, s_mapFlags, Fd, Hex) { Result = CallResult.Hex },
        new("i386:mmap", Address, Size, s_prot, s_mapFlags, Fd, Hex) { Result = CallResult.Hex, Packed = 6 },
        new("mmap2", Address, Size, s_prot, s_mapFlags, Fd, new OwnArgument(PageOffset)) { Result = CallResult.Hex },
        new("munmap", Address, Size),
        new("mprotect", Address, Size, s_prot),
        new("mremap", Address, Size, Size, Flags(FlagSets.MremapFlags), s_newAddress) { Result = CallResult.Hex },
        new("remap_file_pages", Address, Size, s_prot, Size, s_mapFlags),
        new("brk", Address) { Result = CallResult.Hex },
        new("madvise", Address, Size, Enum(FlagSets.MadviseAdvice)),
        new("process_madvise", Fd, RemoteVector(2), Size, Enum(FlagSets.MadviseAdvice), Hex),
        new("process_mrelease", Fd, Hex),
        new("msync", Address, Size, Flags(FlagSets.MsyncFlags)),
        new("mincore", Address, Size, new OwnArgument(Residency) { End = new(CallRead.Fixed, CallOptions.ElementsMax,
            CallOptions.ElementsMax) }),
        new("mlock", Address, Size),
        new("mlock2", Address, Size, Flags(FlagSets.Mlock2Flags)),
        new("munlock", Address, Size),
        new("mlockall", Flags(FlagSets.MlockallFlags)),
        new("mseal", Address, Size, Hex),
        new("map_shadow_stack", Address, Size, Flags(FlagSets.ShadowStackFlags)) { Result = CallResult.Hex },
        new("pkey_alloc", Hex, LongFlags(FlagSets.PkeyRights)),
        new("pkey_free", Int),
        new("pkey_mprotect", Address, Size, s_prot, Int),
        new("get_mempolicy", new StructArgument(4, Mode) { IsOutput = true }, NodeMask(2, isOutput: true), Size, Address,
            LongFlags(FlagSets.GetMempolicyFlags)),
        new("set_mempolicy", Flags(FlagSets.Mempolicy), NodeMask(2), Size),
        new("mbind", Address, Size, Flags(FlagSets.Mempolicy), NodeMask(4), Size, Flags(FlagSets.MbindFlags)),
        new("migrate_pages", Int, Size, NodeMask(1), NodeMask(1)),
        new("move_pages", Int, Size, s_addresses, s_nodeNumbers, s_pageStatus, Flags(FlagSets.MovePagesFlags)),
        new("set_mempolicy_home_node", Address, Size, Size, Hex),
        new("process_vm_readv", Int, new VectorArgument(2, isOutput: true), Size, RemoteVector(4), Size, Size),
        new("process_vm_writev", Int, new VectorArgument(2, isOutput: false), Size, RemoteVector(4), Size, Size),
        new("userfaultfd", Flags(FlagSets.UserfaultfdFlags)) { Result = CallResult.Descriptor },
        new("memfd_secret", Flags(FlagSets.DupFlags)) { Result = CallResult.Descriptor },
        new("cachestat", Fd, s_range.Input, s_cacheStat.Output, Hex),
        new("membarrier", Enum(FlagSets.MembarrierCommands), Flags(FlagSets.MembarrierFlags),
            new OwnArgument(Cpu) { Omitted = IsWithoutCpu })
        { ResultWriter = MembarrierResult },
    ];

    /// <summary>An array of <c>struct iovec</c> whose addresses are another process's.</summary>
    private static ArrayArgument RemoteVector(int count) =>
        new ArrayArgument(16, count, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call) =>
    {
        writer.BeginStruct();
        writer.Field("iov_base"u8);
        writer.Address(bytes.UWord(0, call.WordBytes));
        writer.Field("iov_len"u8, bytes.UWord(1, call.WordBytes));
        writer.EndStruct();
    })
        { Unit32 = 8 };

    private static void MapFlags(ref CallWriter writer, in CallView call, int position)
    {
        uint flags = (uint)call[position], huge = flags >> HugeShift & HugeMask, others = flags & ~MapType & ~(HugeMask << HugeShift);
        var type = FlagSets.MmapType.NameOf(flags & MapType);
        writer.Quote();
        if (type.IsEmpty)
        {
            writer.AppendHex(flags & MapType);
            writer.Remark(FlagSets.MmapType.UnknownName);
        }
        else
        {
            writer.Line.Append(type);
        }

        if (others != 0)
        {
            // The set has the type as a field; its name is written already.
            int start = writer.Line.Length;
            FlagSets.MmapFlags.Format(ref writer.Line, others);
            int separator = writer.Line.Written[start..].IndexOf((byte)'|');
            writer.Line.Replace(start, start + Math.Max(separator, 0), default);
        }

        if (huge != 0)
        {
            writer.Line.Append((byte)'|');
            writer.Line.Append((ulong)huge);
            writer.Line.Append("<<MAP_HUGE_SHIFT"u8);
        }

        writer.Quote();
    }

    private static void PageOffset(ref CallWriter writer, in CallView call, int position) => writer.Hex((ulong)(uint)call[position] << 12);

    // A byte for each page, whose lowest bit says whether it is in memory.
    private static void Residency(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position, output: true);
        ulong pages = (call[1] + 4095) / 4096;
        if (!chunk.Has((int)Math.Min(pages, CallOptions.ElementsMax)))
        {
            writer.Address(call[position]);
            return;
        }

        writer.BeginArray();
        for (int page = 0; page < chunk.Bytes.Length && (ulong)page < pages; page++)
        {
            writer.Item();
            writer.Number(chunk.Bytes[page] & 1);
        }

        if (pages > (ulong)chunk.Bytes.Length)
            writer.More();
        writer.EndArray();
    }

    private static void Mode(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.BeginArray();
        writer.Item();
        writer.Name(FlagSets.MempolicyModes, bytes.U32(0));
        writer.EndArray();
    }

    private static OwnArgument NodeMask(int count, bool isOutput = false) =>
        new OwnArgument((ref CallWriter writer, in CallView call, int position) =>
    {
        // One less than is said counts: mm/mempolicy.c, get_nodes().
        var chunk = call.Find(position, output: isOutput);
        ulong nodes = call[count], words = nodes == 0 ? 0 : (nodes - 1 + NodesPerLong - 1) / NodesPerLong;
        if (call[position] == 0 || nodes > 8 * NodeMaskBytes || (words > 0 && !chunk.Has(8 * (int)words)))
        {
            writer.Address(call[position]);
            return;
        }

        writer.BeginArray();
        for (int word = 0; word < (int)words; word++)
        {
            writer.Item();
            writer.Quote();
            ulong mask = chunk.Bytes.U64(8 * word);
            // printf's %#016lx has the prefix within the 16.
            if (mask != 0)
                writer.Line.Append("0x"u8);
            writer.Line.AppendHex(mask, digits: mask == 0 ? 16 : 14);
            writer.Quote();
        }

        writer.EndArray();
    })
        {
            Begin = isOutput ? default : new(CallRead.Fixed, NodeMaskBytes, NodeMaskBytes),
            End = isOutput ? new(CallRead.Fixed, NodeMaskBytes, NodeMaskBytes) : default,
        };

    private static void PageStatus(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        int status = bytes.I32(0);
        var name = status < 0 ? Errno.NameUtf8(-status) : default;
        if (name.IsEmpty)
        {
            writer.Number(status);
            return;
        }

        writer.Quote();
        writer.Line.Append((byte)'-');
        writer.Line.Append(name);
        writer.Quote();
    }

    private static void Cpu(ref CallWriter writer, in CallView call, int position) => writer.Number(call.Int(position));

    private static bool IsWithoutCpu(in CallView call, int position) => ((uint)call[1] & 1) == 0;

    // MEMBARRIER_CMD_QUERY returns a set of commands.
    private static void MembarrierResult(ref CallWriter writer, in CallView call)
    {
        if ((uint)call[0] != 0 || call.Ret == 0)
        {
            writer.Number(call.Ret);
            return;
        }

        writer.Hex((ulong)call.Ret);
        writer.TextOnly(" ("u8);
        ulong left = (ulong)call.Ret;
        for (ulong bit = 1; left != 0 && bit <= uint.MaxValue; bit <<= 1)
        {
            if ((left & bit) == 0)
                continue;
            left &= ~bit;
            writer.Name(FlagSets.MembarrierCommands, bit);
            if (left != 0)
                writer.TextOnly("|"u8);
        }

        writer.TextOnly(")"u8);
    }
}
