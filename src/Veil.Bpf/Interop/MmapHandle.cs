// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Veil.Bpf.Interop;

/// <summary>A shared mapping of a descriptor; unmapped when disposed.</summary>
internal sealed class MmapHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly nuint _length;

    private MmapHandle(nint address, nuint length)
        : base(ownsHandle: true)
    {
        _length = length;
        SetHandle(address);
    }

    internal nint Address => handle;

    internal static MmapHandle Map(int fd, nuint length, int protection, nint offset, string operation, string subject)
    {
        nint address = NativeFile.mmap(0, length, protection, NativeFile.MAP_SHARED, fd, offset);
        if (address == -1)
            throw BpfErrors.Create(operation, subject, Marshal.GetLastPInvokeError());
        return new MmapHandle(address, length);
    }

    protected override bool ReleaseHandle() => NativeFile.munmap(handle, _length) == 0;
}
