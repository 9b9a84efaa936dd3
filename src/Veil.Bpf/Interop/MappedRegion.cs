using System.Runtime.InteropServices;

namespace Veil.Bpf.Interop;

/// <summary>Memory that a map and this process share.</summary>
internal sealed class MappedRegion : SafeHandle
{
    private readonly nuint _length;

    private MappedRegion(nint address, nuint length)
        : base(-1, ownsHandle: true)
    {
        _length = length;
        SetHandle(address);
    }

    public override bool IsInvalid => handle == -1;

    public nint Address => handle;

    public static MappedRegion Map(int fd, nuint length, int protection, nint offset, string what)
    {
        nint address = LibC.MMap(0, length, protection, LibC.MapShared, fd, offset);
        return address != -1 ? new MappedRegion(address, length) : throw new BpfException("mapping", what, Marshal.GetLastPInvokeError());
    }

    protected override bool ReleaseHandle() => LibC.MUnmap(handle, _length) == 0;
}
