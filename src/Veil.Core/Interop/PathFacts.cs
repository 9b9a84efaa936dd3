// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Interop;

/// <summary>What a place in the tree of files is, as statx(2) tells.</summary>
/// <param name="Mode">Its type and permissions.</param>
/// <param name="Owner">Its user.</param>
/// <param name="Group">Its group.</param>
/// <param name="Attributes">Its attributes.</param>
internal readonly record struct PathFacts(uint Mode, uint Owner, uint Group, ulong Attributes)
{
    private const uint TypeMask = 0xf000, Folder = 0x4000, File = 0x8000, Link = 0xa000;
    private const ulong Immutable = 0x10, AppendOnly = 0x20, MountRoot = 0x2000; // STATX_ATTR_*

    /// <summary>Without the type.</summary>
    public uint Permissions => Mode & ~TypeMask;

    /// <summary>Is it a regular file?</summary>
    public bool IsFile => (Mode & TypeMask) == File;

    /// <summary>Is it a folder?</summary>
    public bool IsFolder => (Mode & TypeMask) == Folder;

    /// <summary>Is it a symbolic link?</summary>
    public bool IsLink => (Mode & TypeMask) == Link;

    /// <summary>Is it marked so that nobody may change it?</summary>
    public bool IsImmutable => (Attributes & Immutable) != 0;

    /// <summary>Is it marked so that it may only grow?</summary>
    public bool IsAppendOnly => (Attributes & AppendOnly) != 0;

    /// <summary>Is something mounted there? Known from Linux 5.8 on.</summary>
    public bool IsMountRoot => (Attributes & MountRoot) != 0;
}
