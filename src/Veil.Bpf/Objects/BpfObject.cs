// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>
/// A compiled BPF object file: its programs, maps and types. Open it, set globals and map sizes, load it, attach its programs. Disposing it
/// unloads what nobody else holds; links keep their programs attached until they are disposed themselves. Not thread-safe.
/// </summary>
public sealed partial class BpfObject : IDisposable
{
    private readonly BpfObjectHandle _handle;
    private readonly Dictionary<string, BpfProgram> _programsByName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, BpfMap> _mapsByName = new(StringComparer.Ordinal);

    private unsafe BpfObject(BpfObjectHandle handle, string name)
    {
        _handle = handle;
        Name = name;
        nint obj = handle.DangerousGetHandle();
        Btf = ReadBtf(obj, name);

        var programs = new List<BpfProgram>();
        for (nint p = NativeObject.bpf_object__next_program(obj, 0); p != 0; p = NativeObject.bpf_object__next_program(obj, p))
        {
            var program = new BpfProgram(this, p);
            programs.Add(program);
            _programsByName[program.Name] = program;
        }

        var maps = new List<BpfMap>();
        for (nint m = NativeObject.bpf_object__next_map(obj, 0); m != 0; m = NativeObject.bpf_object__next_map(obj, m))
        {
            var map = new BpfMap(this, m);
            maps.Add(map);
            _mapsByName[map.Name] = map;
        }

        Programs = programs;
        Maps = maps;
    }

    /// <summary>The name given to <see cref="Open"/>.</summary>
    public string Name { get; }

    /// <summary>
    /// The types, variables and functions that the object describes. Has the layout that the object was compiled with, not the kernel's.
    /// </summary>
    public Btf Btf { get; }

    /// <summary>All programs, in the order of the file.</summary>
    public IReadOnlyList<BpfProgram> Programs { get; }

    /// <summary>All maps, with the internal ones that hold global variables.</summary>
    public IReadOnlyList<BpfMap> Maps { get; }

    /// <summary>Whether <see cref="Load"/> has succeeded.</summary>
    public bool IsLoaded { get; private set; }

    internal BpfObjectHandle Handle => _handle;

    /// <summary>Reads an object file from memory. Needs no privileges: the kernel is not asked before <see cref="Load"/>.</summary>
    /// <param name="elf">The file's bytes, copied.</param>
    /// <param name="name">Names the object; the kernel shows its first characters in the names of the maps that hold globals.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    /// <exception cref="BpfException">The bytes are no BPF object, or one without BTF.</exception>
    public static unsafe BpfObject Open(ReadOnlySpan<byte> elf, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (elf.IsEmpty)
            throw new BpfException("opening object", name, "it is empty");
        var handle = new BpfObjectHandle();
        using var log = LogCapture.Begin();
        byte[] nameBytes = new byte[Encoding.UTF8.GetMaxByteCount(name.Length) + 1];
        Encoding.UTF8.GetBytes(name, nameBytes);
        fixed (byte* nameText = nameBytes)
        {
            var options =
                new NativeObject.BpfObjectOpenOpts { Size = (nuint)sizeof(NativeObject.BpfObjectOpenOpts), ObjectName = nameText };
            nint obj = NativeObject.bpf_object__open_mem(handle.CopyElf(elf), (nuint)elf.Length, &options);
            if (obj == 0)
            {
                int errno = Marshal.GetLastPInvokeError();
                handle.FreeElf();
                handle.Dispose();
                throw BpfErrors.Create("opening object", name, errno, log.Text);
            }

            handle.Own(obj);
        }

        try
        {
            return new BpfObject(handle, name);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Finds a program by the name of its C function.</summary>
    /// <exception cref="BpfException">There is none.</exception>
    public BpfProgram Program(string name) =>
        TryGetProgram(name, out var program) ? program : throw Missing("program", name, _programsByName.Keys);

    /// <summary>Finds a program by the name of its C function.</summary>
    public bool TryGetProgram(string name, [NotNullWhen(true)] out BpfProgram? program) => _programsByName.TryGetValue(name, out program);

    /// <summary>Finds a map by its name in C, or an internal one by its section, as in <c>.rodata</c>.</summary>
    /// <exception cref="BpfException">There is none.</exception>
    public BpfMap Map(string name) => TryGetMap(name, out var map) ? map : throw Missing("map", name, _mapsByName.Keys);

    /// <summary>Finds a map by its name in C, or an internal one by its section, as in <c>.rodata</c>.</summary>
    public bool TryGetMap(string name, [NotNullWhen(true)] out BpfMap? map)
    {
        if (_mapsByName.TryGetValue(name, out map))
            return true;
        if (!name.StartsWith('.'))
            return false;
        // libbpf puts the beginning of the object's name before the section: "files_tr.rodata".
        foreach (var candidate in Maps)
        {
            if (candidate.IsInternal && candidate.Name.EndsWith(name, StringComparison.Ordinal))
            {
                map = candidate;
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Closes the object. Programs without a link or another holder are unloaded, and references from <see cref="Global"/> dangle.
    /// </summary>
    public void Dispose()
    {
        foreach (var map in Maps)
            map.DisposeHandle();
        _handle.Dispose();
    }

    private static unsafe Btf ReadBtf(nint obj, string name)
    {
        nint btf = NativeObject.bpf_object__btf(obj);
        uint size = 0;
        // libbpf's copy and not the file's: the compiler leaves the offsets of global variables zero and libbpf fills them in when opening.
        void* raw = btf == 0 ? null : NativeObject.btf__raw_data(btf, &size);
        if (raw == null)
            throw new BpfException("opening object", name, "it has no BTF", hint: "compile it with clang -g -target bpf");
        return Btf.Parse(new ReadOnlySpan<byte>(raw, checked((int)size)));
    }

    private BpfException Missing(string what, string name, IEnumerable<string> existing) =>
        new($"looking up {what}", name, $"object {Name} has no such {what}", hint: $"it has {string.Join(", ", existing)}");
}
