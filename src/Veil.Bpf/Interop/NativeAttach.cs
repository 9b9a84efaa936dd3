using System.Runtime.InteropServices;

namespace Veil.Bpf.Interop;

/// <summary>
/// The ways to attach. Each returns a <c>struct bpf_link</c>, or null with errno set. They return plain pointers, not
/// <see cref="BpfLink"/>: errno has to be read before anything else runs.
/// </summary>
internal static partial class NativeAttach
{
    [LibraryImport(LibraryNames.Libbpf, SetLastError = true)]
    internal static partial nint bpf_program__attach(nint program);

    [LibraryImport(LibraryNames.Libbpf, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint bpf_program__attach_tracepoint(nint program, string category, string name);

    [LibraryImport(LibraryNames.Libbpf, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint bpf_program__attach_raw_tracepoint(nint program, string name);

    [LibraryImport(LibraryNames.Libbpf, SetLastError = true)]
    internal static partial nint bpf_program__attach_trace(nint program);

    [LibraryImport(LibraryNames.Libbpf, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint bpf_program__attach_kprobe(nint program, byte onReturn, string function);

    [LibraryImport(LibraryNames.Libbpf, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint bpf_program__attach_uprobe(nint program, byte onReturn, int pid, string path, nuint offset);

    [LibraryImport(LibraryNames.Libbpf, SetLastError = true)]
    internal static partial nint bpf_program__attach_iter(nint program, nint options);

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
}
