// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Bpf.Interop;

/// <summary><c>struct bpf_program</c> before and after loading.</summary>
internal static unsafe partial class NativeProgram
{
    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial byte* bpf_program__name(nint program);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial byte* bpf_program__section_name(nint program);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial byte bpf_program__autoload(nint program);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_program__set_autoload(nint program, byte autoload);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_program__type(nint program);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_program__set_expected_attach_type(nint program, int type);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_program__fd(nint program);

    /// <summary>Replies as <see cref="BpfProgInfo"/> or <see cref="BpfMapInfo"/>, by what the descriptor is.</summary>
    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_obj_get_info_by_fd(int fd, void* info, uint* size);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_enable_stats(int type);

    [LibraryImport(LibraryNames.Libbpf, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int bpf_prog_load(
        int type, string name, string license, ulong* instructions, nuint count, BpfProgLoadOpts* options);

    /// <summary>The head of <c>struct bpf_prog_load_opts</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct BpfProgLoadOpts
    {
        internal nuint Size;
        internal int Attempts;
        internal int ExpectedAttachType;
        internal uint ProgramBtfFd;
        internal uint ProgramFlags;
        internal uint ProgramInterfaceIndex;
        internal uint KernelVersion;
        internal uint AttachBtfId;
        internal uint AttachProgramFd;
        internal uint AttachBtfObjectFd;
        private readonly uint _padding;
    }

    /// <summary><c>struct bpf_prog_info</c>; a kernel fills the part that it knows and leaves the rest zero.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct BpfProgInfo
    {
        internal uint type;
        internal uint id;
        internal ulong tag;
        internal uint jited_prog_len;
        internal uint xlated_prog_len;
        internal ulong jited_prog_insns;
        internal ulong xlated_prog_insns;
        internal ulong load_time;
        internal uint created_by_uid;
        internal uint nr_map_ids;
        internal ulong map_ids;
        internal fixed byte name[16];
        internal uint ifindex;
        internal uint gpl_compatible;
        internal ulong netns_dev;
        internal ulong netns_ino;
        internal uint nr_jited_ksyms;
        internal uint nr_jited_func_lens;
        internal ulong jited_ksyms;
        internal ulong jited_func_lens;
        internal uint btf_id;
        internal uint func_info_rec_size;
        internal ulong func_info;
        internal uint nr_func_info;
        internal uint nr_line_info;
        internal ulong line_info;
        internal ulong jited_line_info;
        internal uint nr_jited_line_info;
        internal uint line_info_rec_size;
        internal uint jited_line_info_rec_size;
        internal uint nr_prog_tags;
        internal ulong prog_tags;
        internal ulong run_time_ns;
        internal ulong run_cnt;
        internal ulong recursion_misses;
        internal uint verified_insns;
        internal uint attach_btf_obj_id;
        internal uint attach_btf_id;
        private readonly uint _padding;
    }

    /// <summary>The head of <c>struct bpf_map_info</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct BpfMapInfo
    {
        internal uint type;
        internal uint id;
        internal uint key_size;
        internal uint value_size;
        internal uint max_entries;
        internal uint map_flags;
        internal fixed byte name[16];
    }
}
