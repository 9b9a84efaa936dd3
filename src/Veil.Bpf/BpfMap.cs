using System.Runtime.InteropServices;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>A map of an object. Valid until the object is disposed. Its contents are read through the typed views.</summary>
public sealed unsafe class BpfMap
{
    internal BpfMap(nint map)
    {
        Pointer = map;
        Name = Marshal.PtrToStringUTF8((nint)LibbpfNative.bpf_map__name(map)) ?? "";
    }

    /// <summary>Its name in C.</summary>
    public string Name { get; }

    /// <summary>Its kind.</summary>
    public BpfMapType Type => (BpfMapType)LibbpfNative.bpf_map__type(Pointer);

    /// <summary>Bytes of a key.</summary>
    public int KeySize => (int)LibbpfNative.bpf_map__key_size(Pointer);

    /// <summary>Bytes of a value; of a per-CPU map, of one CPU's.</summary>
    public int ValueSize => (int)LibbpfNative.bpf_map__value_size(Pointer);

    /// <summary>The most keys that it holds; bytes of a ring.</summary>
    public int MaxEntries => (int)LibbpfNative.bpf_map__max_entries(Pointer);

    /// <summary>The file descriptor; negative before the object is loaded.</summary>
    public int Fd => LibbpfNative.bpf_map__fd(Pointer);

    internal nint Pointer { get; }

    /// <summary>Sets how many keys it will hold; before loading.</summary>
    public void SetMaxEntries(int entries) => Check("sizing map", LibbpfNative.bpf_map__set_max_entries(Pointer, (uint)entries));

    /// <summary>Sets <c>BPF_F_*</c> of linux/bpf.h; before loading.</summary>
    public void SetFlags(uint flags) => Check("choosing map", LibbpfNative.bpf_map__set_map_flags(Pointer, flags));

    /// <summary>Whether loading creates it; before loading. A program that uses a map that was not created is refused.</summary>
    public void SetAutoCreate(bool create) => Check("choosing map", LibbpfNative.bpf_map__set_autocreate(Pointer, create ? (byte)1 : (byte)0));

    /// <summary>Takes an existing map instead of creating one; before loading. The descriptor is duplicated.</summary>
    public void ReuseFd(BpfMapHandle map) => Check("sharing map", LibbpfNative.bpf_map__reuse_fd(Pointer, map.Fd));

    /// <summary>Creates a map without an object.</summary>
    /// <param name="type">Its kind.</param>
    /// <param name="name">Its name in the kernel, 15 bytes at most.</param>
    /// <param name="keySize">Bytes of a key.</param>
    /// <param name="valueSize">Bytes of a value.</param>
    /// <param name="maxEntries">The most keys, or bytes of a ring.</param>
    /// <param name="flags"><c>BPF_F_*</c> of linux/bpf.h.</param>
    /// <exception cref="UnsupportedByKernelException">The kernel is too old for the kind.</exception>
    /// <exception cref="BpfException">Anything else.</exception>
    public static BpfMapHandle Create(BpfMapType type, string name, int keySize, int valueSize, int maxEntries, uint flags = 0)
    {
        Libbpf.Install();
        var options = new LibbpfNative.MapCreateOptions { Size = (nuint)sizeof(LibbpfNative.MapCreateOptions), MapFlags = flags };
        int fd = LibbpfNative.bpf_map_create((int)type, name, (uint)keySize, (uint)valueSize, (uint)maxEntries, &options);
        return fd >= 0 ? new BpfMapHandle(fd) : throw BpfErrors.CreateMap(type, name, -fd);
    }

    private void Check(string operation, int result)
    {
        if (result < 0)
            throw new BpfException(operation, Name, -result);
    }
}
