// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Interop;

/// <summary>The PID namespace that we run in. Events carry the ids of the initial one.</summary>
internal static class PidNamespace
{
    // PROC_PID_INIT_INO of include/linux/proc_ns.h.
    private const ulong InitialInode = 0xEFFFFFFC;

    /// <summary>Device and inode of our namespace.</summary>
    public static (ulong Device, ulong Inode) Own { get; } = LibC.Identity("/proc/self/ns/pid\0"u8);

    /// <summary>Is it the initial one? Without <c>/proc</c> there is no telling, and it is taken for it.</summary>
    public static bool IsInitial => Own.Inode is InitialInode or 0;
}
