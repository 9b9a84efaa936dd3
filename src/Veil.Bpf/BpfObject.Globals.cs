using Veil.Bpf.Interop;

namespace Veil.Bpf;

public sealed unsafe partial class BpfObject
{
    private const string ReadOnlySection = ".rodata";

    /// <summary>Sets a global variable, if there is one of that name.</summary>
    /// <returns>False where the object has no such variable.</returns>
    /// <exception cref="BpfException">It has another size.</exception>
    /// <exception cref="InvalidOperationException">It is <c>const</c> and the object is loaded: the kernel has frozen it.</exception>
    public bool TrySetGlobal<T>(string variable, T value)
        where T : unmanaged
    {
        if (Btf.FindVariable(variable) is not { } found)
            return false;
        if (_loaded && found.Section.StartsWith(ReadOnlySection, StringComparison.Ordinal))
            throw new InvalidOperationException($"{variable} is const and the object is loaded");
        *Address<T>(found) = value;
        return true;
    }

    /// <summary>
    /// Sets a global variable. Before <see cref="Load"/> that is its initial value; after, the running programs see it at once.
    /// </summary>
    /// <param name="variable">Its name in C; not static.</param>
    /// <param name="value">The value, of the variable's size.</param>
    /// <exception cref="BpfException">There is no such variable, or it has another size.</exception>
    public void SetGlobal<T>(string variable, T value)
        where T : unmanaged
    {
        if (!TrySetGlobal(variable, value))
            throw new BpfException("setting variable", variable, 0, $"object {Name} has none of that name");
    }

    /// <summary>The variable itself, shared with the running programs. The reference is valid until the object is disposed.</summary>
    /// <exception cref="BpfException">There is no such variable, or it has another size.</exception>
    public ref T Global<T>(string variable)
        where T : unmanaged =>
        ref *Address<T>(Btf.FindVariable(variable) ?? throw new BpfException("finding variable", variable, 0, $"object {Name} has none of that name"));

    private T* Address<T>(BtfVariable variable)
        where T : unmanaged
    {
        if (variable.SizeBytes != sizeof(T))
            throw new BpfException("setting variable", variable.Name, 0, $"it has {variable.SizeBytes} bytes, and the value {sizeof(T)}");
        byte* section = _loaded ? LiveSection(variable.Section) : InitialSection(variable);
        return (T*)(section + variable.Offset);
    }

    private byte* InitialSection(BtfVariable variable)
    {
        nuint size;
        byte* section = LibbpfNative.bpf_map__initial_value(Map(variable.Section).Pointer, &size);
        if (section is null || (nuint)(variable.Offset + variable.SizeBytes) > size)
            throw new BpfException("setting variable", variable.Name, 0, $"section {variable.Section} cannot be written");
        return section;
    }

    // Only from 1.4 on does libbpf itself put the live map where the initial value was, so the mapping is ours.
    private byte* LiveSection(string section)
    {
        if (!_liveSections.TryGetValue(section, out var region))
        {
            var map = Map(section);
            int protection = section.StartsWith(ReadOnlySection, StringComparison.Ordinal) ? LibC.ProtRead : LibC.ProtRead | LibC.ProtWrite;
            region = MappedRegion.Map(map.Fd, (nuint)map.ValueSize, protection, 0, map.Name);
            _liveSections.Add(section, region);
        }

        return (byte*)region.Address;
    }
}
