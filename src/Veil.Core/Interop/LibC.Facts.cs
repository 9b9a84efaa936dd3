// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;

namespace Veil.Core.Interop;

/// <summary>What a file is (statx(2)).</summary>
internal static unsafe partial class LibC
{
    // struct statx of include/uapi/linux/stat.h: the same on every architecture.
    private const int StatxBytes = 256;
    private const uint StatxBasic = 0x7ff;

    /// <summary>What is at a name, ended by a NUL, in a folder; the link itself where it is one.</summary>
    public static bool TryGetFacts(int folder, ReadOnlySpan<byte> name, out FileFacts facts)
    {
        const int noFollow = 0x100; // AT_SYMLINK_NOFOLLOW
        return TryGetFacts(folder, name, noFollow, out facts);
    }

    /// <summary>What an open file is.</summary>
    public static bool TryGetFacts(int fd, out FileFacts facts) => TryGetFacts(fd, "\0"u8, AtEmptyPath, out facts);

    /// <summary>What a path leads to.</summary>
    public static bool TryGetFacts(string path, out FileFacts facts) =>
        TryGetFacts(AtFdCwd, Encoding.UTF8.GetBytes(path + "\0"), 0, out facts);

    private static bool TryGetFacts(int folder, ReadOnlySpan<byte> name, int flags, out FileFacts facts)
    {
        const int uid = 20, gid = 24, mode = 28, inode = 32, size = 40, major = 136, minor = 140;
        byte* status = stackalloc byte[StatxBytes];
        fixed (byte* data = name)
        {
            bool there = Statx(folder, data, flags, StatxBasic, status) == 0;
            facts = there
                ? new(*(uint*)(status + major), *(uint*)(status + minor), *(ulong*)(status + inode), *(uint*)(status + uid),
                    *(uint*)(status + gid), (FileType)(*(ushort*)(status + mode) & 0xf000), *(long*)(status + size))
                : default;
            return there;
        }
    }

    [LibraryImport("libc", EntryPoint = "statx")]
    private static partial int Statx(int directory, byte* path, int flags, uint mask, byte* status);

    /// <summary>Which file it is, whose, and of what kind.</summary>
    internal readonly record struct FileFacts(uint Major, uint Minor, ulong Inode, uint User, uint Group, FileType Type, long SizeBytes)
    {
        /// <summary>Is it the same file, whatever its name?</summary>
        public bool IsSame(in FileFacts other) => (Major, Minor, Inode) == (other.Major, other.Minor, other.Inode);
    }
}
