// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>Owns the descriptor of a map. The kernel keeps the map while a descriptor, a program or a mapping of it exists.</summary>
public sealed unsafe class BpfMapHandle : SafeHandleMinusOneIsInvalid
{
    internal BpfMapHandle(int fd)
        : base(ownsHandle: true) => SetHandle(fd);

    /// <summary>The descriptor; owned by this handle.</summary>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public int Fd
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return (int)handle;
        }
    }

    internal static BpfMapHandle Duplicate(int fd, string name)
    {
        int own = NativeFile.fcntl(fd, NativeFile.F_DUPFD_CLOEXEC, 0);
        return own >= 0 ? new BpfMapHandle(own) : throw BpfErrors.Create("opening map", name, Marshal.GetLastPInvokeError());
    }

    /// <summary>Asks the kernel what the map is (BPF_OBJ_GET_INFO_BY_FD, 4.13).</summary>
    /// <exception cref="BpfException">The descriptor is no map, or the kernel refused.</exception>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public BpfMapInfo Info()
    {
        using var lease = new HandleLease(this);
        NativeProgram.BpfMapInfo info = default;
        uint size = (uint)sizeof(NativeProgram.BpfMapInfo);
        int error = -NativeProgram.bpf_obj_get_info_by_fd(lease.Fd, &info, &size);
        if (error != 0)
            throw BpfErrors.Create("describing map", $"at descriptor {lease.Fd}", error);
        return new BpfMapInfo(
            info.id, NativeText.Read(info.name), (BpfMapType)info.type, (int)info.key_size, (int)info.value_size, (int)info.max_entries,
            info.map_flags);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => NativeFile.close((int)handle) == 0;
}
