// SPDX-License-Identifier: GPL-3.0-only
using Microsoft.Win32.SafeHandles;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>
/// A program attached to a hook. Disposing it detaches; the kernel does the same when the process ends however it ends. Independent of the
/// <see cref="BpfObject"/>, which may be disposed before.
/// </summary>
public sealed class BpfLink : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly bool _isDescriptor;

    internal BpfLink(nint link)
        : base(ownsHandle: true) => SetHandle(link);

    private BpfLink(int fd)
        : base(ownsHandle: true)
    {
        _isDescriptor = true;
        SetHandle(fd);
    }

    /// <summary>One that libbpf did not make.</summary>
    internal static BpfLink OfDescriptor(int fd) => new(fd);

    /// <summary>The descriptor behind the link: a bpf_link, or on older kernels the perf event; owned by this handle.</summary>
    /// <exception cref="ObjectDisposedException">It is detached.</exception>
    public int Fd
    {
        get
        {
            using var lease = new HandleLease(this);
            return _isDescriptor ? lease.Fd : NativeAttach.bpf_link__fd(lease.Value);
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() =>
        (_isDescriptor ? NativeFile.close((int)handle) : NativeAttach.bpf_link__destroy(handle)) == 0;
}
