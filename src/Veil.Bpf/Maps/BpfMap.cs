// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>
/// One map of a <see cref="BpfObject"/>; lives and dies with it. Its elements are read through typed views such as
/// <see cref="BpfHashMap{TKey, TValue}"/>.
/// </summary>
public sealed unsafe class BpfMap
{
    private const int MaxNameBytes = 15;
    private const uint BPF_F_RDONLY_PROG = 1 << 7;
    private const uint BPF_F_MMAPABLE = 1 << 10;

    private readonly BpfObject _object;
    private BpfMapHandle? _handle;

    internal BpfMap(BpfObject obj, nint native)
    {
        _object = obj;
        Native = native;
        // Read once: ReuseFd makes libbpf take over the other map's name, and a caller knows it by the name in C.
        Name = NativeText.Read(NativeMap.bpf_map__name(native));
        IsInternal = NativeMap.bpf_map__is_internal(native) != 0;
    }

    /// <summary>The name in C; for an internal map libbpf's, such as <c>files.rodata</c>.</summary>
    public string Name { get; }

    /// <summary>Whether it holds global variables.</summary>
    public bool IsInternal { get; }

    /// <summary>The type.</summary>
    /// <exception cref="ObjectDisposedException">The object is disposed.</exception>
    public BpfMapType Type
    {
        get
        {
            using var lease = new HandleLease(_object.Handle);
            return (BpfMapType)NativeMap.bpf_map__type(Native);
        }
    }

    /// <summary>Bytes of a key.</summary>
    /// <exception cref="ObjectDisposedException">The object is disposed.</exception>
    public int KeySize
    {
        get
        {
            using var lease = new HandleLease(_object.Handle);
            return (int)NativeMap.bpf_map__key_size(Native);
        }
    }

    /// <summary>Bytes of a value; of one CPU's value in a per-CPU map.</summary>
    /// <exception cref="ObjectDisposedException">The object is disposed.</exception>
    public int ValueSize
    {
        get
        {
            using var lease = new HandleLease(_object.Handle);
            return (int)NativeMap.bpf_map__value_size(Native);
        }
    }

    /// <summary>Number of elements; bytes for a ring buffer.</summary>
    /// <exception cref="ObjectDisposedException">The object is disposed.</exception>
    public int MaxEntries
    {
        get
        {
            using var lease = new HandleLease(_object.Handle);
            return (int)NativeMap.bpf_map__max_entries(Native);
        }
    }

    /// <summary><c>BPF_F_*</c> of include/uapi/linux/bpf.h, as the map is or will be made with.</summary>
    /// <exception cref="ObjectDisposedException">The object is disposed.</exception>
    public uint Flags
    {
        get
        {
            using var lease = new HandleLease(_object.Handle);
            return NativeMap.bpf_map__map_flags(Native);
        }
    }

    /// <summary>The descriptor, owned by the object.</summary>
    /// <exception cref="InvalidOperationException">The map does not exist yet: the object is not loaded.</exception>
    /// <exception cref="ObjectDisposedException">The object is disposed.</exception>
    public int Fd
    {
        get
        {
            using var lease = new HandleLease(_object.Handle);
            int fd = NativeMap.bpf_map__fd(Native);
            return fd >= 0 ? fd : throw new InvalidOperationException($"Map {Name} does not exist before {_object.Name} is loaded.");
        }
    }

    /// <summary>
    /// A descriptor of its own, for the typed views and for other objects' <see cref="ReuseFd"/>. Disposed with the object; do not
    /// dispose it.
    /// </summary>
    /// <exception cref="InvalidOperationException">The map does not exist yet: the object is not loaded.</exception>
    /// <exception cref="ObjectDisposedException">The object is disposed.</exception>
    public BpfMapHandle Handle => _handle ??= BpfMapHandle.Duplicate(Fd, Name);

    /// <summary>Whether loading creates it: not after <see cref="SetAutoCreate"/> said no.</summary>
    /// <exception cref="ObjectDisposedException">The object is disposed.</exception>
    public bool WillBeCreated
    {
        get
        {
            using var lease = new HandleLease(_object.Handle);
            return NativeMap.bpf_map__autocreate(Native) != 0;
        }
    }

    internal nint Native { get; }

    internal bool IsMappable => (NativeMap.bpf_map__map_flags(Native) & BPF_F_MMAPABLE) != 0;

    /// <summary>.rodata and .kconfig: frozen by the kernel, so never to be mapped for writing.</summary>
    internal bool IsReadOnlyInternal => (NativeMap.bpf_map__map_flags(Native) & BPF_F_RDONLY_PROG) != 0;

    /// <summary>Creates a map that belongs to no object.</summary>
    /// <param name="type">The type.</param>
    /// <param name="name">At most 15 bytes of letters, digits, <c>_</c> and <c>.</c>; kernels before 4.15 ignore it.</param>
    /// <param name="keySize">Bytes of a key; 0 for a ring buffer.</param>
    /// <param name="valueSize">Bytes of a value; 0 for a ring buffer.</param>
    /// <param name="maxEntries">Number of elements; bytes for a ring buffer.</param>
    /// <param name="flags"><c>BPF_F_*</c> from include/uapi/linux/bpf.h.</param>
    /// <exception cref="ArgumentException">The name is no map name.</exception>
    /// <exception cref="UnsupportedByKernelException">The kernel does not know the type.</exception>
    /// <exception cref="BpfException">The kernel refused.</exception>
    public static BpfMapHandle Create(BpfMapType type, string name, int keySize, int valueSize, int maxEntries, uint flags = 0) =>
        Create(type, name, keySize, valueSize, maxEntries, flags, innerFd: 0);

    private static BpfMapHandle Create(BpfMapType type, string name, int keySize, int valueSize, int maxEntries, uint flags, int innerFd)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfNegative(keySize);
        ArgumentOutOfRangeException.ThrowIfNegative(valueSize);
        ArgumentOutOfRangeException.ThrowIfNegative(maxEntries);
        if (Encoding.UTF8.GetByteCount(name) > MaxNameBytes || !name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.'))
            throw new ArgumentException($"\"{name}\" is no map name: at most {MaxNameBytes} letters, digits, '_' and '.'.", nameof(name));

        var options =
            new NativeMapElements.BpfMapCreateOpts
            {
                Size = (nuint)sizeof(NativeMapElements.BpfMapCreateOpts),
                MapFlags = flags,
                InnerMapFd = (uint)innerFd
            };
        using var log = LogCapture.Begin();
        int fd = NativeMapElements.bpf_map_create((int)type, name, (uint)keySize, (uint)valueSize, (uint)maxEntries, &options);
        return fd >= 0 ? new BpfMapHandle(fd) : throw BpfErrors.MapCreation(name, type, -fd);
    }

    /// <summary>Creates an array of maps (4.12) that holds these, which stay the caller's; BPF programs find them by their place.</summary>
    /// <param name="name">As of any map.</param>
    /// <param name="maps">At least one, all of a kind.</param>
    /// <exception cref="BpfException">The kernel refused.</exception>
    public static BpfMapHandle CreateArrayOfMaps(string name, IReadOnlyList<BpfMapHandle> maps)
    {
        ArgumentNullException.ThrowIfNull(maps);
        if (maps.Count == 0)
            throw new ArgumentException("An array of maps holds at least one.", nameof(maps));
        var array = Create(BpfMapType.ArrayOfMaps, name, sizeof(uint), sizeof(uint), maps.Count, flags: 0, maps[0].Fd);
        for (uint place = 0; place < maps.Count; place++)
        {
            int fd = maps[(int)place].Fd;
            MapElements.Succeeded(array, NativeMapElements.bpf_map_update_elem(array, &place, &fd, 0), "filling map");
        }

        return array;
    }

    /// <summary>Sets the number of elements, or a ring buffer's bytes.</summary>
    /// <param name="maxEntries">At least 1.</param>
    /// <exception cref="InvalidOperationException">The map exists already.</exception>
    public void SetMaxEntries(int maxEntries)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxEntries, 1);
        using var lease = new HandleLease(_object.Handle);
        BeforeLoad(NativeMap.bpf_map__set_max_entries(Native, (uint)maxEntries));
    }

    /// <summary>Sets the sizes of keys and values, of a map that is declared by sizes and not by types.</summary>
    /// <param name="keySize">Bytes of a key.</param>
    /// <param name="valueSize">Bytes of a value; of one CPU's value in a per-CPU map.</param>
    /// <exception cref="InvalidOperationException">The map exists already.</exception>
    public void SetSizes(int keySize, int valueSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keySize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(valueSize, 1);
        using var lease = new HandleLease(_object.Handle);
        BeforeLoad(NativeMap.bpf_map__set_key_size(Native, (uint)keySize));
        BeforeLoad(NativeMap.bpf_map__set_value_size(Native, (uint)valueSize));
    }

    /// <summary>Sets <c>BPF_F_*</c> flags of linux/bpf.h, such as <c>BPF_F_NO_PREALLOC</c>.</summary>
    /// <exception cref="InvalidOperationException">The map exists already.</exception>
    public void SetFlags(uint flags)
    {
        using var lease = new HandleLease(_object.Handle);
        BeforeLoad(NativeMap.bpf_map__set_map_flags(Native, flags));
    }

    /// <summary>
    /// Sets whether <see cref="BpfObject.Load"/> creates the map. A program that uses a map that was not created is refused by the
    /// verifier.
    /// </summary>
    /// <exception cref="InvalidOperationException">The map exists already.</exception>
    public void SetAutoCreate(bool create)
    {
        using var lease = new HandleLease(_object.Handle);
        BeforeLoad(NativeMap.bpf_map__set_autocreate(Native, create ? (byte)1 : (byte)0));
    }

    /// <summary>
    /// Makes the object use an existing map in place of its own, which has to be of the same type and sizes. Before loading only.
    /// </summary>
    /// <param name="handle">Stays the caller's, and may be closed afterwards.</param>
    /// <exception cref="InvalidOperationException">The object is loaded.</exception>
    /// <exception cref="BpfException">The handle is no map.</exception>
    public void ReuseFd(BpfMapHandle handle)
    {
        if (_object.IsLoaded)
            throw new InvalidOperationException($"Map {Name} can be replaced only before {_object.Name} is loaded.");
        using var lease = new HandleLease(_object.Handle);
        using var mapLease = new HandleLease(handle);
        using var log = LogCapture.Begin();
        int error = -NativeMap.bpf_map__reuse_fd(Native, mapLease.Fd);
        if (error != 0)
            throw BpfErrors.Create("reusing map", Name, error, log.Text);
    }

    internal void DisposeHandle() => _handle?.Dispose();

    private void BeforeLoad(int error)
    {
        if (error != 0)
            throw new InvalidOperationException($"Map {Name} can be changed only before {_object.Name} is loaded.");
    }
}
