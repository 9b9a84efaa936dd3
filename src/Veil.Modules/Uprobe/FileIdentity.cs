// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Veil.Modules.Uprobe;

/// <summary>Which file it is, whatever its names.</summary>
/// <param name="Major">Of the device.</param>
/// <param name="Minor">Of the device.</param>
/// <param name="Inode">Its number there.</param>
internal readonly partial record struct FileIdentity(uint Major, uint Minor, ulong Inode)
{
    // struct statx of include/uapi/linux/stat.h: the same on every architecture.
    private const int StatxBytes = 256;
    private const int ModeAt = 28;
    private const int InodeAt = 32;
    private const int DeviceAt = 136;
    private const uint TypeAndInode = 0x101;
    private const int AtFdCwd = -100;
    private const int AtEmptyPath = 0x1000;
    private const int TypeMask = 0xf000;
    private const int DirectoryType = 0x4000;

    /// <summary>Of an open file.</summary>
    public static FileIdentity Of(SafeFileHandle file) => Read((int)file.DangerousGetHandle(), "", AtEmptyPath)?.Identity ?? default;

    /// <summary>Of what a path leads to; nothing where it leads nowhere or must not be followed.</summary>
    public static FileIdentity? Of(string path) => Read(AtFdCwd, path, 0)?.Identity;

    /// <summary>Is an open file a folder?</summary>
    public static bool IsDirectory(SafeFileHandle file) => Read((int)file.DangerousGetHandle(), "", AtEmptyPath) is { } status && (status.Mode & TypeMask) == DirectoryType;

    private static unsafe (FileIdentity Identity, ushort Mode)? Read(int folder, string path, int flags)
    {
        var status = stackalloc byte[StatxBytes];
        fixed (byte* name = (byte[])[.. Encoding.UTF8.GetBytes(path), 0])
        {
            if (Statx(folder, name, flags, TypeAndInode, status) != 0)
                return null;
        }

        return (new FileIdentity(*(uint*)(status + DeviceAt), *(uint*)(status + DeviceAt + 4), *(ulong*)(status + InodeAt)), *(ushort*)(status + ModeAt));
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static unsafe partial int Statx(int folder, byte* path, int flags, uint mask, byte* status);
}
