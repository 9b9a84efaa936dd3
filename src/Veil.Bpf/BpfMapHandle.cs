using Microsoft.Win32.SafeHandles;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>A map that was made without an object: its file descriptor. The map lives as long as anything refers to it.</summary>
public sealed class BpfMapHandle : SafeHandleMinusOneIsInvalid
{
    internal BpfMapHandle(int fd)
        : base(ownsHandle: true)
    {
        SetHandle(fd);
    }

    /// <summary>The file descriptor; valid until disposed.</summary>
    public int Fd => (int)handle;

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => LibC.Close((int)handle) == 0;
}
