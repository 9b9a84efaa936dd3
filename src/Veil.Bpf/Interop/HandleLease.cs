// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Bpf.Interop;

/// <summary>
/// Keeps a handle open for the length of a block. A disposed handle throws <see cref="ObjectDisposedException"/> here, and neither the
/// garbage collector nor another thread can close it between reading the raw value and the native call.
/// </summary>
internal readonly ref struct HandleLease
{
    private readonly SafeHandle _handle;

    internal HandleLease(SafeHandle handle)
    {
        bool added = false;
        handle.DangerousAddRef(ref added);
        _handle = handle;
    }

    internal nint Value => _handle.DangerousGetHandle();

    internal int Fd => (int)_handle.DangerousGetHandle();

    public void Dispose() => _handle.DangerousRelease();
}
