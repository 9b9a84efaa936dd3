using System.Runtime.InteropServices;

namespace Veil.Bpf.Interop;

/// <summary>libbpf's functions, under its own names. The library's name stands here alone.</summary>
internal static unsafe partial class LibbpfNative
{
    private const string Library = "libbpf.so.1";

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint bpf_object__open_mem(void* buffer, nuint size, OpenOptions* options);

    [LibraryImport(Library)]
    internal static partial int bpf_object__load(nint bpfObject);

    [LibraryImport(Library)]
    internal static partial void bpf_object__close(nint bpfObject);

    [LibraryImport(Library)]
    internal static partial nint bpf_object__next_program(nint bpfObject, nint previous);

    [LibraryImport(Library)]
    internal static partial nint bpf_object__next_map(nint bpfObject, nint previous);

    [LibraryImport(Library)]
    internal static partial nint bpf_object__btf(nint bpfObject);

    [LibraryImport(Library)]
    internal static partial byte* btf__raw_data(nint btf, uint* size);

    [LibraryImport(Library)]
    internal static partial byte* bpf_program__name(nint program);

    [LibraryImport(Library)]
    internal static partial byte* bpf_program__section_name(nint program);

    [LibraryImport(Library)]
    internal static partial byte bpf_program__autoload(nint program);

    [LibraryImport(Library)]
    internal static partial int bpf_program__set_autoload(nint program, byte autoload);

    [LibraryImport(Library)]
    internal static partial int bpf_program__fd(nint program);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint bpf_program__attach(nint program);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint bpf_program__attach_tracepoint(nint program, string category, string name);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint bpf_program__attach_raw_tracepoint(nint program, string name);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint bpf_program__attach_trace(nint program);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint bpf_program__attach_kprobe(nint program, [MarshalAs(UnmanagedType.U1)] bool onReturn, string function);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint bpf_program__attach_uprobe(nint program, [MarshalAs(UnmanagedType.U1)] bool onReturn, int pid, string path, nuint offset);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint bpf_program__attach_perf_event(nint program, int perfFd);

    [LibraryImport(Library)]
    internal static partial int bpf_link__destroy(nint link);

    [LibraryImport(Library)]
    internal static partial byte* bpf_map__name(nint map);

    [LibraryImport(Library)]
    internal static partial int bpf_map__fd(nint map);

    [LibraryImport(Library)]
    internal static partial int bpf_map__type(nint map);

    [LibraryImport(Library)]
    internal static partial uint bpf_map__key_size(nint map);

    [LibraryImport(Library)]
    internal static partial uint bpf_map__value_size(nint map);

    [LibraryImport(Library)]
    internal static partial uint bpf_map__max_entries(nint map);

    [LibraryImport(Library)]
    internal static partial int bpf_map__set_max_entries(nint map, uint entries);

    [LibraryImport(Library)]
    internal static partial int bpf_map__set_map_flags(nint map, uint flags);

    [LibraryImport(Library)]
    internal static partial int bpf_map__set_autocreate(nint map, byte autocreate);

    [LibraryImport(Library)]
    internal static partial int bpf_map__reuse_fd(nint map, int fd);

    [LibraryImport(Library)]
    internal static partial byte* bpf_map__initial_value(nint map, nuint* size);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int bpf_map_create(int type, string name, uint keySize, uint valueSize, uint maxEntries, MapCreateOptions* options);

    [LibraryImport(Library)]
    internal static partial int bpf_map_lookup_elem(int fd, void* key, void* value);

    [LibraryImport(Library)]
    internal static partial int bpf_map_update_elem(int fd, void* key, void* value, ulong flags);

    [LibraryImport(Library)]
    internal static partial int bpf_map_delete_elem(int fd, void* key);

    [LibraryImport(Library)]
    internal static partial int bpf_map_get_next_key(int fd, void* key, void* nextKey);

    [LibraryImport(Library)]
    internal static partial int bpf_map_update_batch(int fd, void* keys, void* values, uint* count, MapBatchOptions* options);

    [LibraryImport(Library)]
    internal static partial int bpf_map_lookup_batch(int fd, void* inBatch, void* outBatch, void* keys, void* values, uint* count, MapBatchOptions* options);

    [LibraryImport(Library)]
    internal static partial int bpf_map_delete_batch(int fd, void* keys, uint* count, MapBatchOptions* options);

    [LibraryImport(Library)]
    internal static partial int bpf_obj_get_info_by_fd(int fd, void* info, uint* size);

    [LibraryImport(Library)]
    internal static partial int bpf_prog_test_run_opts(int fd, TestRunOptions* options);

    [LibraryImport(Library)]
    internal static partial int libbpf_num_possible_cpus();

    [LibraryImport(Library)]
    internal static partial int libbpf_probe_bpf_prog_type(int type, void* options);

    [LibraryImport(Library)]
    internal static partial int libbpf_probe_bpf_map_type(int type, void* options);

    [LibraryImport(Library)]
    internal static partial byte* libbpf_version_string();

    [LibraryImport(Library)]
    internal static partial nint libbpf_set_print(delegate* unmanaged<int, byte*, nint, int> sink);

    // The sizes are those of libbpf 1.0: it takes a shorter struct from an older caller and zeros for the rest.
    [StructLayout(LayoutKind.Sequential)]
    internal struct OpenOptions
    {
        public nuint Size;
        public byte* ObjectName;
        public byte RelaxedMaps;
        public byte* PinRootPath;
        public uint Reserved;
        public byte* Kconfig;
        public byte* BtfCustomPath;
        public byte* KernelLogBuffer;
        public nuint KernelLogSize;
        public uint KernelLogLevel;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct MapCreateOptions
    {
        public nuint Size;
        public uint BtfFd;
        public uint BtfKeyTypeId;
        public uint BtfValueTypeId;
        public uint BtfVmlinuxValueTypeId;
        public uint InnerMapFd;
        public uint MapFlags;
        public ulong MapExtra;
        public uint NumaNode;
        public uint MapIfindex;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct MapBatchOptions
    {
        public nuint Size;
        public ulong ElementFlags;
        public ulong Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct TestRunOptions
    {
        public nuint Size;
        public void* DataIn;
        public void* DataOut;
        public uint DataSizeIn;
        public uint DataSizeOut;
        public void* ContextIn;
        public void* ContextOut;
        public uint ContextSizeIn;
        public uint ContextSizeOut;
        public uint ReturnValue;
        public int Repeat;
        public uint DurationNs;
        public uint Flags;
        public uint Cpu;
        public uint BatchSize;
    }
}
