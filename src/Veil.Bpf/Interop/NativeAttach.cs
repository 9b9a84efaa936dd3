// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Bpf.Interop;

/// <summary>
/// The ways to attach. Each returns a <c>struct bpf_link</c>, or null with errno set. They return plain pointers, not
/// <see cref="BpfLink"/>: errno has to be read before anything else runs.
/// </summary>
internal static unsafe partial class NativeAttach
{
    internal const int BPF_LINK_CREATE = 28;
    internal const int BPF_TRACE_UPROBE_MULTI = 48;
    internal const uint BPF_F_UPROBE_MULTI_RETURN = 1;

    /// <summary>The number of bpf(2); the two architectures that Veil is built for differ.</summary>
    internal static nint BpfNumber => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 321 : 280;

    [LibraryImport(LibraryNames.Libbpf, SetLastError = true)]
    internal static partial nint bpf_program__attach(nint program);

    [LibraryImport(LibraryNames.Libbpf, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint bpf_program__attach_uprobe_opts(nint program, int pid, string path, nuint offset, BpfUprobeOpts* options);

    /// <summary>bpf(2), for a link that libbpf before 1.3 cannot make.</summary>
    [LibraryImport(LibraryNames.Libc, EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint bpf(nint number, nint command, BpfLinkCreateUprobeMulti* attributes, nuint bytes);

    [LibraryImport(LibraryNames.Libbpf, SetLastError = true)]
    internal static partial nint bpf_program__attach_iter(nint program, BpfIterAttachOpts* options);

    /// <summary>A descriptor, or a negative errno.</summary>
    [LibraryImport(LibraryNames.Libbpf, SetLastError = true)]
    internal static partial int bpf_iter_create(int linkFd);

    /// <summary>The link owns the descriptor from then on.</summary>
    [LibraryImport(LibraryNames.Libbpf, SetLastError = true)]
    internal static partial nint bpf_program__attach_perf_event(nint program, int perfFd);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_link__destroy(nint link);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_link__fd(nint link);

    /// <summary><c>struct bpf_iter_attach_opts</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct BpfIterAttachOpts
    {
        internal nuint Size;
        internal BpfIterLinkInfo* LinkInfo;
        internal uint LinkInfoSize;
    }

    /// <summary><c>union bpf_iter_link_info</c>, of a map.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct BpfIterLinkInfo
    {
        internal int MapFd;
    }

    /// <summary><c>struct bpf_uprobe_opts</c> as libbpf 1.0 has it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct BpfUprobeOpts
    {
        internal nuint Size;
        internal nuint CounterOffset;
        internal ulong Cookie;
        internal byte OnReturn;
        internal nint FunctionName;
    }

    /// <summary><c>link_create</c> of <c>union bpf_attr</c> with its <c>uprobe_multi</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct BpfLinkCreateUprobeMulti
    {
        internal uint ProgramFd;
        internal uint TargetFd;
        internal uint AttachType;
        internal uint Flags;
        internal ulong Path;
        internal ulong Offsets;
        internal ulong CounterOffsets;
        internal ulong Cookies;
        internal uint Count;
        internal uint UprobeFlags;
        internal uint ProcessId;
        internal uint Padding;
    }
}
