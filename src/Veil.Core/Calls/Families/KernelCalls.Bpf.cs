// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;
using static Veil.Core.Calls.FileArguments;

namespace Veil.Core.Calls;

internal static partial class KernelCalls
{
    // include/uapi/linux/bpf.h
    private const int BpfBytes = 208;
    private const int BpfNameBytes = 16;
    private const uint MapCreate = 0, MapLookup = 1, MapUpdate = 2, ProgLoad = 5, ObjPin = 6, ObjGet = 7, RawTracepointOpen = 17,
        BtfLoad = 18;
    private const uint NumaNode = 4, Replace = 4, ById = 0x20; // BPF_F_NUMA_NODE, BPF_F_REPLACE, BPF_F_ID

    [ThreadStatic]
    private static byte[]? t_attributes;

    private enum BpfKind
    {
        Number,
        Signed,
        Long,
        Hex,
        LongHex,
        Address,
        Text,
        Name,
        Bytes,
        Version,
        Enum,
        Flags,
        LongFlags,
    }

    // Of a field that is marked only a structure that reaches it has it; others are 0 where the caller's is shorter.
    private readonly record struct BpfField(string Name, int At, BpfKind Kind, bool IsLater = false)
    {
        public byte[] Label { get; } = System.Text.Encoding.UTF8.GetBytes(Name);

        public FlagSet Set { get; init; }

        // Where a condition of its own decides.
        public Func<uint, bool>? If { get; init; }

        public int IfAt { get; init; }
    }

    // In a structure of a structure, by its name.
    private sealed record BpfCommand(string Within, int Bytes, params BpfField[] Fields)
    {
        public byte[] Label { get; } = System.Text.Encoding.UTF8.GetBytes(Within);
    }

    private static CallSpec Bpf
    {
        get
        {
            // What is at the other end of a pointer is one string.
            var argument = new OwnArgument(BpfAttributes)
            {
                Begin = new(CallRead.Counted, 1, BpfBytes, 2),
                End = new(CallRead.Counted, 1, BpfBytes, 2),
            };
            var plain = new CallSpec("bpf", Enum(FlagSets.BpfCommands), argument, UInt, Hidden, Hidden) { Result = CallResult.Descriptor };
            var path = plain with { Nested = [new(1, 0, CallRead.String, SizeMax: 4094) { IsWide = true }] };
            return plain with
            {
                SelectedBy = 0,
                Variants = new Dictionary<uint, CallSpec>
                {
                    [ProgLoad] = plain with
                    {
                        Nested = [new(1, 16, CallRead.String,
                        SizeMax: CallOptions.StringSizeDefault) { IsWide = true }]
                    },
                    [ObjPin] = path,
                    [ObjGet] = path,
                    [RawTracepointOpen] = path,
                    [BtfLoad] = plain with
                    {
                        Nested = [new(1, 0, CallRead.Counted, 1, CallOptions.StringSizeDefault, 16) { IsWide = true, IsCountInt = true }],
                    },
                },
            };
        }
    }

    private static readonly BpfField s_mapFd = new("map_fd", 0, BpfKind.Signed);
    private static readonly BpfField s_key = new("key", 8, BpfKind.Address);

    private static readonly BpfCommand s_lookup = new("", 32, s_mapFd, s_key, new("value", 16, BpfKind.Address),
        new("flags", 24, BpfKind.LongFlags, IsLater: true) { Set = FlagSets.BpfLookupFlags });

    private static readonly BpfCommand s_object = new("", 20, new("pathname", 0, BpfKind.Text), new("bpf_fd", 8, BpfKind.Signed),
        new("file_flags", 12, BpfKind.Flags, IsLater: true) { Set = FlagSets.BpfFileFlags }, new("path_fd", 16, BpfKind.Signed,
            IsLater: true));

    private static readonly BpfCommand s_attachment = new("", 32, new("target_fd", 0, BpfKind.Signed),
        new("attach_bpf_fd", 4, BpfKind.Signed), new("attach_type", 8, BpfKind.Enum) { Set = FlagSets.BpfAttachTypes },
        new("attach_flags", 12, BpfKind.Flags) { Set = FlagSets.BpfAttachFlags },
        new("replace_bpf_fd", 16, BpfKind.Signed, IsLater: true),
        new("relative_fd", 20, BpfKind.Signed, IsLater: true) { IfAt = 12, If = static flags => (flags & ById) == 0 },
        new("relative_id", 20, BpfKind.Number, IsLater: true) { IfAt = 12, If = static flags => (flags & ById) != 0 },
        new("expected_revision", 24, BpfKind.Long, IsLater: true));

    private static readonly BpfCommand s_next = new("", 12, new("start_id", 0, BpfKind.Number), new("next_id", 4, BpfKind.Number));

    private static readonly BpfField[] s_batchEnd =
    [
        new("count", 32, BpfKind.Number), new("map_fd", 36, BpfKind.Signed),
        new("elem_flags", 40, BpfKind.LongFlags) { Set = FlagSets.BpfLookupFlags }, new("flags", 48, BpfKind.LongHex),
    ];

    private static readonly BpfField s_keys = new("keys", 16, BpfKind.Address);
    private static readonly BpfField s_values = new("values", 24, BpfKind.Address);
    private static readonly BpfCommand s_batch = new("batch", 56,
        [new("in_batch", 0, BpfKind.Address), new("out_batch", 8, BpfKind.Address), s_keys, s_values, .. s_batchEnd]);

    private static readonly Dictionary<uint, BpfCommand> s_bpfCommands = new()
    {
        [MapCreate] = new("", 104, new("map_type", 0, BpfKind.Enum) { Set = FlagSets.BpfMapTypes }, new("key_size", 4, BpfKind.Number),
            new("value_size", 8, BpfKind.Number), new("max_entries", 12, BpfKind.Number),
            new("map_flags", 16, BpfKind.Flags, IsLater: true) { Set = FlagSets.BpfMapFlags },
            new("inner_map_fd", 20, BpfKind.Signed, IsLater: true),
            new("numa_node", 24, BpfKind.Number, IsLater: true) { IfAt = 16, If = static flags => (flags & NumaNode) != 0 },
            new("map_name", 28, BpfKind.Name, IsLater: true), new("map_ifindex", 44, BpfKind.Number, IsLater: true),
            new("btf_fd", 48, BpfKind.Signed, IsLater: true), new("btf_key_type_id", 52, BpfKind.Number, IsLater: true),
            new("btf_value_type_id", 56, BpfKind.Number, IsLater: true),
            new("btf_vmlinux_value_type_id", 60, BpfKind.Number, IsLater: true), new("map_extra", 64, BpfKind.LongHex, IsLater: true),
            new("value_type_btf_obj_fd", 72, BpfKind.Signed, IsLater: true), new("map_token_fd", 76, BpfKind.Signed, IsLater: true),
            new("excl_prog_hash", 80, BpfKind.Address, IsLater: true), new("excl_prog_hash_size", 88, BpfKind.Number, IsLater: true)),
        [MapLookup] = s_lookup,
        [MapUpdate] = new("", 32, s_mapFd, s_key, new("value", 16, BpfKind.Address),
            new("flags", 24, BpfKind.LongFlags) { Set = FlagSets.BpfElemFlags }),
        [3] = new("", 16, s_mapFd, s_key),
        [4] = new("", 24, s_mapFd, s_key, new("next_key", 16, BpfKind.Address)),
        [ProgLoad] = new("", 168, new("prog_type", 0, BpfKind.Enum) { Set = FlagSets.BpfProgTypes }, new("insn_cnt", 4, BpfKind.Number),
            new("insns", 8, BpfKind.Address), new("license", 16, BpfKind.Text), new("log_level", 24, BpfKind.Number, IsLater: true),
            new("log_size", 28, BpfKind.Number, IsLater: true), new("log_buf", 32, BpfKind.Address, IsLater: true),
            new("kern_version", 40, BpfKind.Version, IsLater: true),
            new("prog_flags", 44, BpfKind.Flags, IsLater: true) { Set = FlagSets.BpfLoadFlags },
            new("prog_name", 48, BpfKind.Name, IsLater: true), new("prog_ifindex", 64, BpfKind.Number, IsLater: true),
            new("expected_attach_type", 68, BpfKind.Enum, IsLater: true) { Set = FlagSets.BpfAttachTypes },
            new("prog_btf_fd", 72, BpfKind.Signed, IsLater: true), new("func_info_rec_size", 76, BpfKind.Number, IsLater: true),
            new("func_info", 80, BpfKind.Address, IsLater: true), new("func_info_cnt", 88, BpfKind.Number, IsLater: true),
            new("line_info_rec_size", 92, BpfKind.Number, IsLater: true), new("line_info", 96, BpfKind.Address, IsLater: true),
            new("line_info_cnt", 104, BpfKind.Number, IsLater: true), new("attach_btf_id", 108, BpfKind.Number, IsLater: true),
            new("attach_prog_fd", 112, BpfKind.Signed, IsLater: true), new("core_relo_cnt", 116, BpfKind.Number, IsLater: true),
            new("fd_array", 120, BpfKind.Address, IsLater: true), new("core_relos", 128, BpfKind.Address, IsLater: true),
            new("core_relo_rec_size", 136, BpfKind.Number, IsLater: true), new("log_true_size", 140, BpfKind.Number, IsLater: true),
            new("prog_token_fd", 144, BpfKind.Signed, IsLater: true), new("fd_array_cnt", 148, BpfKind.Number, IsLater: true),
            new("signature", 152, BpfKind.Address, IsLater: true), new("signature_size", 160, BpfKind.Number, IsLater: true),
            new("keyring_id", 164, BpfKind.Signed, IsLater: true)),
        [ObjPin] = s_object,
        [ObjGet] = s_object,
        [8] = s_attachment,
        [9] = s_attachment,
        [10] = new("test", 80, new("prog_fd", 0, BpfKind.Signed), new("retval", 4, BpfKind.Number),
            new("data_size_in", 8, BpfKind.Number), new("data_size_out", 12, BpfKind.Number), new("data_in", 16, BpfKind.Address),
            new("data_out", 24, BpfKind.Address), new("repeat", 32, BpfKind.Number), new("duration", 36, BpfKind.Number),
            new("ctx_size_in", 40, BpfKind.Number, IsLater: true), new("ctx_size_out", 44, BpfKind.Number, IsLater: true),
            new("ctx_in", 48, BpfKind.Address, IsLater: true), new("ctx_out", 56, BpfKind.Address, IsLater: true),
            new("flags", 64, BpfKind.Flags, IsLater: true) { Set = FlagSets.BpfTestRunFlags },
            new("cpu", 68, BpfKind.Number, IsLater: true), new("batch_size", 72, BpfKind.Number, IsLater: true)),
        [11] = s_next,
        [12] = s_next,
        [13] = new("", 4, new BpfField("prog_id", 0, BpfKind.Number)),
        [14] = new("", 12, new("map_id", 0, BpfKind.Number),
            new("open_flags", 8, BpfKind.Flags, IsLater: true) { Set = FlagSets.BpfOpenFlags }),
        [15] = new("info", 16, new("bpf_fd", 0, BpfKind.Signed), new("info_len", 4, BpfKind.Number), new("info", 8, BpfKind.Address)),
        [16] = new("query", 64, new("target_fd", 0, BpfKind.Signed), new("attach_type", 4, BpfKind.Enum) { Set = FlagSets.BpfAttachTypes },
            new("query_flags", 8, BpfKind.Flags) { Set = FlagSets.BpfQueryFlags },
            new("attach_flags", 12, BpfKind.Flags) { Set = FlagSets.BpfAttachFlags }, new("prog_ids", 16, BpfKind.Address),
            new("prog_cnt", 24, BpfKind.Number), new("prog_attach_flags", 32, BpfKind.Address, IsLater: true),
            new("link_ids", 40, BpfKind.Address, IsLater: true), new("link_attach_flags", 48, BpfKind.Address, IsLater: true),
            new("revision", 56, BpfKind.LongHex, IsLater: true)),
        [RawTracepointOpen] = new("raw_tracepoint", 24, new("name", 0, BpfKind.Text), new("prog_fd", 8, BpfKind.Signed),
            new("cookie", 16, BpfKind.LongHex, IsLater: true)),
        [BtfLoad] = new("", 40, new("btf", 0, BpfKind.Bytes), new("btf_log_buf", 8, BpfKind.Address), new("btf_size", 16, BpfKind.Number),
            new("btf_log_size", 20, BpfKind.Number), new("btf_log_level", 24, BpfKind.Number),
            new("btf_log_true_size", 28, BpfKind.Number, IsLater: true),
            new("btf_flags", 32, BpfKind.Flags, IsLater: true) { Set = FlagSets.BpfFileFlags },
            new("btf_token_fd", 36, BpfKind.Signed, IsLater: true)),
        [19] = new("", 16, new("btf_id", 0, BpfKind.Number),
            new("open_flags", 8, BpfKind.Flags, IsLater: true) { Set = FlagSets.BpfOpenFlags },
            new("fd_by_id_token_fd", 12, BpfKind.Signed, IsLater: true)),
        [20] = new("task_fd_query", 48, new("pid", 0, BpfKind.Signed), new("fd", 4, BpfKind.Signed), new("flags", 8, BpfKind.Number),
            new("buf_len", 12, BpfKind.Number), new("buf", 16, BpfKind.Address), new("prog_id", 24, BpfKind.Number),
            new("fd_type", 28, BpfKind.Enum) { Set = FlagSets.BpfFdTypes }, new("probe_offset", 32, BpfKind.LongHex),
            new("probe_addr", 40, BpfKind.LongHex)),
        [21] = s_lookup,
        [22] = new("", 4, s_mapFd),
        [23] = new("", 8, s_next.Fields),
        [24] = s_batch,
        [25] = s_batch,
        [26] = new("batch", 56,
            [s_keys, s_values, s_batchEnd[0], s_batchEnd[1], s_batchEnd[2] with { Set = FlagSets.BpfElemFlags }, s_batchEnd[3]]),
        [27] = new("batch", 56, [s_keys, .. s_batchEnd]),
        [28] = new("link_create", 16, new("prog_fd", 0, BpfKind.Signed), new("target_fd", 4, BpfKind.Signed),
            new("attach_type", 8, BpfKind.Enum) { Set = FlagSets.BpfAttachTypes },
            new("flags", 12, BpfKind.Flags) { Set = FlagSets.BpfAttachFlags }),
        [29] = new("link_update", 16, new("link_fd", 0, BpfKind.Signed), new("new_prog_fd", 4, BpfKind.Signed),
            new("flags", 8, BpfKind.Flags) { Set = FlagSets.BpfAttachFlags },
            new("old_prog_fd", 12, BpfKind.Signed) { IfAt = 8, If = static flags => (flags & Replace) != 0 }),
        [30] = new("", 4, new BpfField("link_id", 0, BpfKind.Number)),
        [31] = new("", 8, s_next.Fields),
        [32] = new("enable_stats", 4, new BpfField("type", 0, BpfKind.Enum) { Set = FlagSets.BpfStats }),
        [33] = new("iter_create", 8, new("link_fd", 0, BpfKind.Signed), new("flags", 4, BpfKind.Hex)),
        [34] = new("link_detach", 4, new BpfField("link_fd", 0, BpfKind.Signed)),
        [35] = new("prog_bind_map", 12, new("prog_fd", 0, BpfKind.Signed), new("map_fd", 4, BpfKind.Signed), new("flags", 8, BpfKind.Hex)),
        [36] = new("token_create", 8, new("flags", 0, BpfKind.Hex), new("bpffs_fd", 4, BpfKind.Signed)),
        [38] = new("prog_assoc_struct_ops", 12, new("map_fd", 0, BpfKind.Signed), new("prog_fd", 4, BpfKind.Signed),
            new("flags", 8, BpfKind.Hex)),
    };

    private static void BpfAttributes(ref CallWriter writer, in CallView call, int position)
    {
        // The kernel fills in what the next identifier is; of the others it is shown what they were given.
        var chunk = (uint)call[0] is 11 or 12 or 23 or 31 ? call.FindAny(position) : call.Find(position);
        int size = (int)Math.Min((uint)call[2], int.MaxValue);
        if (!chunk.IsRead || size == 0 || call[position] == 0 || !s_bpfCommands.TryGetValue((uint)call[0], out var command))
        {
            writer.Address(call[position]);
            return;
        }

        // What the caller has not given is 0.
        byte[] bytes = t_attributes ??= new byte[BpfBytes];
        bytes.AsSpan().Clear();
        chunk.Bytes[..Math.Min(chunk.Bytes.Length, BpfBytes)].CopyTo(bytes);
        writer.BeginStruct();
        if (command.Label.Length > 0)
        {
            writer.Field(command.Label);
            writer.BeginStruct();
        }

        foreach (var field in command.Fields)
        {
            if ((field.IsLater && size <= field.At) || (field.If is { } shown && !shown(StructBytes.U32(bytes, field.IfAt))))
                continue;
            writer.Field(field.Label);
            BpfValue(ref writer, call, field, bytes);
        }

        if (command.Label.Length > 0)
            writer.EndStruct();
        if (size > command.Bytes && bytes.AsSpan(command.Bytes).ContainsAnyExcept((byte)0))
            writer.More();
        writer.EndStruct();
    }

    private static void BpfValue(ref CallWriter writer, in CallView call, in BpfField field, ReadOnlySpan<byte> bytes)
    {
        switch (field.Kind)
        {
            case BpfKind.Number:
                writer.Unsigned(bytes.U32(field.At));
                if (field.Name == "numa_node" && bytes.U32(field.At) == uint.MaxValue)
                    writer.Remark("NUMA_NO_NODE"u8);
                break;
            case BpfKind.Signed:
                writer.Number(bytes.I32(field.At));
                break;
            case BpfKind.Long:
                writer.Unsigned(bytes.U64(field.At));
                break;
            case BpfKind.Hex:
                writer.Hex(bytes.U32(field.At));
                break;
            case BpfKind.LongHex when field.Name == "map_extra" && bytes.U64(field.At) == ulong.MaxValue:
                writer.Word("UINT64_MAX"u8);
                break;
            case BpfKind.LongHex:
                writer.Hex(bytes.U64(field.At));
                break;
            case BpfKind.Name:
                var name = bytes.Slice(field.At, BpfNameBytes);
                int end = name.IndexOf((byte)0);
                writer.String(end < 0 ? name[..^1] : name[..end], end < 0);
                break;
            case BpfKind.Version:
                KernelVersion(ref writer, bytes.U32(field.At));
                break;
            case BpfKind.Enum:
                writer.Name(field.Set, bytes.U32(field.At));
                break;
            case BpfKind.Flags:
                writer.Flags(field.Set, bytes.U32(field.At));
                break;
            case BpfKind.LongFlags:
                writer.Flags(field.Set, bytes.U64(field.At));
                break;
            case BpfKind.Text or BpfKind.Bytes when call.Find(1, CallChunkKind.Nested) is { IsRead: true } text:
                writer.String(writer.Cut(text.Bytes), text.IsTruncated || text.Bytes.Length > writer.Options.StringSize);
                break;
            default:
                writer.Address(bytes.U64(field.At));
                break;
        }
    }

    private static void KernelVersion(ref CallWriter writer, uint version)
    {
        writer.Quote();
        writer.Line.Append("KERNEL_VERSION("u8);
        writer.Line.Append((ulong)(version >> 16));
        writer.Line.Append(", "u8);
        writer.Line.Append((ulong)(version >> 8 & 0xff));
        writer.Line.Append(", "u8);
        writer.Line.Append((ulong)(version & 0xff));
        writer.Line.Append((byte)')');
        writer.Quote();
    }
}
