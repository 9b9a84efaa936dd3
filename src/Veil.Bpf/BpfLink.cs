using Microsoft.Win32.SafeHandles;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>A program on a hook. Disposing detaches it; so does the end of the process, whatever way it ends.</summary>
public sealed class BpfLink : SafeHandleZeroOrMinusOneIsInvalid
{
    internal BpfLink(nint link)
        : base(ownsHandle: true)
    {
        SetHandle(link);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => LibbpfNative.bpf_link__destroy(handle) == 0;
}
