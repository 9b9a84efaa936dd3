// SPDX-License-Identifier: GPL-3.0-only
using Microsoft.Win32.SafeHandles;
using Veil.Core.Interop;

namespace Veil.Core.Symbols;

/// <summary>Which file it is, whatever its names.</summary>
/// <param name="Major">Of the device.</param>
/// <param name="Minor">Of the device.</param>
/// <param name="Inode">Its number there.</param>
internal readonly record struct FileIdentity(uint Major, uint Minor, ulong Inode)
{
    private FileIdentity(in LibC.FileFacts facts)
        : this(facts.Major, facts.Minor, facts.Inode)
    {
    }

    /// <summary>Of an open file.</summary>
    public static FileIdentity Of(SafeFileHandle file) =>
        LibC.TryGetFacts((int)file.DangerousGetHandle(), out var facts) ? new(facts) : default;

    /// <summary>Of what a path leads to; nothing where it leads nowhere or must not be followed.</summary>
    public static FileIdentity? Of(string path) => LibC.TryGetFacts(path, out var facts) ? new(facts) : null;
}
