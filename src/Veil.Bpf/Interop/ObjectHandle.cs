using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Veil.Bpf.Interop;

/// <summary>A <c>struct bpf_object</c> and the memory that its ELF image lies in, which libbpf goes on reading.</summary>
internal sealed unsafe class ObjectHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly void* _image;

    public ObjectHandle(nint bpfObject, void* image)
        : base(ownsHandle: true)
    {
        _image = image;
        SetHandle(bpfObject);
    }

    public nint Pointer => handle;

    protected override bool ReleaseHandle()
    {
        LibbpfNative.bpf_object__close(handle);
        NativeMemory.AlignedFree(_image);
        return true;
    }
}
