using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>
/// A compiled BPF object: programs, maps, global variables. Opened, configured, loaded; programs are then attached one by one.
/// Disposing unloads what nothing else refers to; links must be disposed before.
/// </summary>
public sealed unsafe partial class BpfObject : IDisposable
{
    private readonly ObjectHandle _handle;
    private readonly List<BpfProgram> _programs = [];
    private readonly List<BpfMap> _maps = [];
    private readonly Dictionary<string, MappedRegion> _liveSections = new(StringComparer.Ordinal);
    private bool _loaded;

    private BpfObject(ObjectHandle handle, string name)
    {
        _handle = handle;
        Name = name;
        for (nint program = LibbpfNative.bpf_object__next_program(handle.Pointer, 0); program != 0; program = LibbpfNative.bpf_object__next_program(handle.Pointer, program))
            _programs.Add(new BpfProgram(program));
        for (nint map = LibbpfNative.bpf_object__next_map(handle.Pointer, 0); map != 0; map = LibbpfNative.bpf_object__next_map(handle.Pointer, map))
            _maps.Add(new BpfMap(map));

        nint btf = LibbpfNative.bpf_object__btf(handle.Pointer);
        uint size = 0;
        byte* raw = btf == 0 ? null : LibbpfNative.btf__raw_data(btf, &size);
        if (raw is null)
            throw new BpfException("opening", name, 0, "the object has no BTF", "compile it with clang -g");
        Btf = Btf.Parse(new ReadOnlySpan<byte>(raw, (int)size));
    }

    /// <summary>The name that it was opened under.</summary>
    public string Name { get; }

    /// <summary>The types of the object: its structs, enumerations and variables.</summary>
    public Btf Btf { get; }

    /// <summary>All programs.</summary>
    public IReadOnlyList<BpfProgram> Programs => _programs;

    /// <summary>All maps, with those that hold global variables.</summary>
    public IReadOnlyList<BpfMap> Maps => _maps;

    /// <summary>Opens an object without loading it.</summary>
    /// <param name="elf">The ELF file; it is copied.</param>
    /// <param name="name">Its name. Without one, libbpf would name it after an address.</param>
    /// <exception cref="BpfException">It is no BPF object.</exception>
    public static BpfObject Open(ReadOnlySpan<byte> elf, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        // libelf reads the headers in place and wants them aligned; an embedded resource is not.
        void* image = NativeMemory.AlignedAlloc((nuint)Math.Max(elf.Length, 1), 16);
        elf.CopyTo(new Span<byte>(image, elf.Length));
        nint opened = 0;
        int errno = 0;
        int size = elf.Length;
        var utf8Name = Encoding.UTF8.GetBytes(name + "\0");
        Libbpf.Capture(
            () =>
            {
                fixed (byte* objectName = utf8Name)
                {
                    var options = new LibbpfNative.OpenOptions { Size = (nuint)sizeof(LibbpfNative.OpenOptions), ObjectName = objectName };
                    opened = LibbpfNative.bpf_object__open_mem(image, (nuint)size, &options);
                    errno = opened == 0 ? Marshal.GetLastPInvokeError() : 0;
                }

                return 0;
            },
            out string said);
        if (opened == 0)
        {
            NativeMemory.AlignedFree(image);
            throw BpfErrors.Open(name, errno, said);
        }

        var handle = new ObjectHandle(opened, image);
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

    /// <summary>Creates the maps, relocates the programs to this kernel, and has it verify them.</summary>
    /// <exception cref="BpfVerifierException">The verifier refused a program.</exception>
    /// <exception cref="UnsupportedByKernelException">The kernel lacks something that the object needs.</exception>
    /// <exception cref="BpfException">Anything else, privileges above all.</exception>
    public void Load()
    {
        int result = Libbpf.Capture(() => LibbpfNative.bpf_object__load(_handle.Pointer), out string said);
        if (result < 0)
            throw BpfErrors.Load(Name, -result, said);
        _loaded = true;
    }

    /// <summary>Finds a program by the C function's name.</summary>
    public bool TryGetProgram(string name, out BpfProgram? program)
    {
        program = _programs.Find(candidate => candidate.Name == name);
        return program is not null;
    }

    /// <summary>A program by the C function's name.</summary>
    /// <exception cref="BpfException">There is none.</exception>
    public BpfProgram Program(string name) =>
        TryGetProgram(name, out var program) ? program! : throw new BpfException("finding program", name, 0, $"object {Name} has none of that name");

    /// <summary>Finds a map by its name in C, or a section of global variables (<c>.bss</c>) by the section's name.</summary>
    public bool TryGetMap(string name, out BpfMap? map)
    {
        map = _maps.Find(candidate => candidate.Name == name)
            ?? (name.StartsWith('.') ? _maps.Find(candidate => candidate.Name.EndsWith(name, StringComparison.Ordinal)) : null);
        return map is not null;
    }

    /// <summary>A map by its name.</summary>
    /// <exception cref="BpfException">There is none.</exception>
    public BpfMap Map(string name) =>
        TryGetMap(name, out var map) ? map! : throw new BpfException("finding map", name, 0, $"object {Name} has none of that name");

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var section in _liveSections.Values)
            section.Dispose();
        _handle.Dispose();
    }
}
