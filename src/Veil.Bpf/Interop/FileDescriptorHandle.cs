// SPDX-License-Identifier: GPL-3.0-only
using Microsoft.Win32.SafeHandles;

namespace Veil.Bpf.Interop;

/// <summary>A descriptor of no particular kind.</summary>
internal sealed class FileDescriptorHandle : SafeHandleMinusOneIsInvalid
{
    internal FileDescriptorHandle(int fd)
        : base(ownsHandle: true) => SetHandle(fd);

    protected override bool ReleaseHandle() => NativeFile.close((int)handle) == 0;
}
