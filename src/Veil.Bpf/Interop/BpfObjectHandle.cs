// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Veil.Bpf.Interop;

/// <summary>Owns <c>struct bpf_object</c> and the copy of the ELF file that it was opened from.</summary>
internal sealed unsafe class BpfObjectHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private void* _elf;

    public BpfObjectHandle()
        : base(ownsHandle: true)
    {
    }

    /// <summary>
    /// libelf wants 8-byte alignment, which neither an embedded resource nor a managed array promises; and libbpf does not say for how long
    /// it reads the buffer, so the copy lives as long as the object.
    /// </summary>
    internal void* CopyElf(ReadOnlySpan<byte> elf)
    {
        _elf = NativeMemory.AlignedAlloc((nuint)Math.Max(elf.Length, 1), 8);
        elf.CopyTo(new Span<byte>(_elf, elf.Length));
        return _elf;
    }

    internal void Own(nint obj) => SetHandle(obj);

    protected override bool ReleaseHandle()
    {
        NativeObject.bpf_object__close(handle);
        FreeElf();
        return true;
    }

    /// <summary>For an object that could not be opened: there is no handle to release, only memory.</summary>
    internal void FreeElf()
    {
        NativeMemory.AlignedFree(_elf);
        _elf = null;
    }
}
