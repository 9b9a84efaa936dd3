// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

public sealed unsafe partial class BpfObject
{
    private const uint BPF_F_MMAPABLE = 1 << 10;

    /// <summary>
    /// Sets a global variable of the C source if there is one of that name. A constant (<c>const volatile</c>, section .rodata) can be
    /// set before <see cref="Load"/> only: the kernel freezes it, and the verifier removes the branches that it rules out. Others can be
    /// set at any time.
    /// </summary>
    /// <param name="variable">The variable's name in C.</param>
    /// <param name="value">Must have the variable's size.</param>
    /// <returns>False if the object has no such variable, for instance because the compiler found it unused.</returns>
    /// <exception cref="BpfException">The sizes differ.</exception>
    /// <exception cref="InvalidOperationException">The variable is constant and the object loaded.</exception>
    public bool TrySetGlobal<T>(string variable, T value)
        where T : unmanaged
    {
        if (!Btf.TryGetVariable(variable, out var found))
            return false;
        SetGlobalBytes(found, new ReadOnlySpan<byte>(&value, sizeof(T)));
        return true;
    }

    /// <summary>As <see cref="TrySetGlobal"/>, where the variable has to exist.</summary>
    /// <param name="variable">The variable's name in C.</param>
    /// <param name="value">Must have the variable's size.</param>
    /// <exception cref="BpfException">There is no such variable, or the sizes differ.</exception>
    /// <exception cref="InvalidOperationException">The variable is constant and the object loaded.</exception>
    public void SetGlobal<T>(string variable, T value)
        where T : unmanaged
    {
        if (!TrySetGlobal(variable, value))
            throw NoVariable("setting global", variable);
    }

    /// <summary>
    /// The live memory of a global variable, shared with the running programs: what one side writes the other sees. Use
    /// <see cref="Volatile"/> or <see cref="Interlocked"/> where the order matters. Needs Linux 5.5.
    /// </summary>
    /// <param name="variable">The variable's name in C, in .data or .bss.</param>
    /// <returns>Valid until <see cref="Dispose"/>; touching it later touches unmapped memory.</returns>
    /// <exception cref="BpfException">There is no such variable, or the sizes differ.</exception>
    /// <exception cref="InvalidOperationException">The object is not loaded, or the variable is constant.</exception>
    /// <exception cref="UnsupportedByKernelException">The kernel cannot map a BPF map into memory.</exception>
    public ref T Global<T>(string variable)
        where T : unmanaged
    {
        const string operation = "mapping global";
        if (!Btf.TryGetVariable(variable, out var found))
            throw NoVariable(operation, variable);
        if (!IsLoaded || IsConstant(found))
            throw new InvalidOperationException(
                $"Global {variable} of {Name} is not live: {(IsLoaded ? "it is constant" : "the object is not loaded")}.");
        return ref Unsafe.AsRef<T>(Locate(operation, found, sizeof(T)));
    }

    private static bool IsConstant(BtfVariable variable) => variable.Section.StartsWith(".rodata", StringComparison.Ordinal);

    private void SetGlobalBytes(BtfVariable variable, ReadOnlySpan<byte> value)
    {
        if (IsLoaded && IsConstant(variable))
            throw new InvalidOperationException($"Global {variable.Name} of {Name} is constant and the object is loaded.");
        byte* target = Locate("setting global", variable, value.Length);
        value.CopyTo(new Span<byte>(target, value.Length));
    }

    private byte* Locate(string operation, BtfVariable variable, int sizeBytes)
    {
        if (variable.SizeBytes != sizeBytes)
            throw new BpfException(operation, variable.Name, $"it has {variable.SizeBytes} bytes in {Name}, the value has {sizeBytes}");
        using var lease = new HandleLease(_handle);
        var map = Map(variable.Section);
        if (IsLoaded && !map.IsMappable)
            throw new UnsupportedByKernelException(
                operation, variable.Name, "global variables in mapped memory", MinimumKernel.MappableMaps);
        nuint length;
        byte* start = NativeMap.bpf_map__initial_value(map.Native, &length);
        if (start == null || (nuint)variable.OffsetBytes + (nuint)sizeBytes > length)
            throw new BpfException(operation, variable.Name, $"it lies outside section {variable.Section} of {Name}");
        return start + variable.OffsetBytes;
    }

    /// <summary>
    /// Puts the kernel's memory of .data and .bss where libbpf keeps their initial values, as its generated skeletons do (libbpf does it
    /// by itself from 1.5 on, and doing it twice changes nothing). libbpf unmaps the region when the object is closed.
    /// </summary>
    private void MapGlobals()
    {
        foreach (var map in Maps)
        {
            nuint length;
            byte* start;
            if (!map.IsInternal || !map.IsMappable || map.IsReadOnlyInternal
                || (start = NativeMap.bpf_map__initial_value(map.Native, &length)) == null)
                continue;
            nuint page = (nuint)Environment.SystemPageSize;
            nuint size = (length + page - 1) & ~(page - 1);
            nint address = NativeFile.mmap(
                (nint)start, size, NativeFile.PROT_READ | NativeFile.PROT_WRITE, NativeFile.MAP_SHARED | NativeFile.MAP_FIXED, map.Fd, 0);
            if (address == -1)
                throw BpfErrors.Create("mapping globals", map.Name, Marshal.GetLastPInvokeError());
        }
    }

    private BpfException NoVariable(string operation, string variable) =>
        new(operation, variable, $"object {Name} has no such variable", hint: "the compiler drops variables that no program uses");
}
