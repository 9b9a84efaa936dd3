// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Veil.Core.Symbols;

namespace Veil.Modules.Uprobe;

/// <summary>
/// A file that is open to be read and then probed: nobody can put another in its place in between. Files are equal that are one inode,
/// whatever they are called.
/// </summary>
internal sealed class ProbeFile : IEquatable<ProbeFile>
{
    private ProbeFile(FileStream stream, string name, FileIdentity identity)
    {
        Stream = stream;
        Name = name;
        Identity = identity;
        Elf = new ElfFile(stream, RuntimeInformation.OSArchitecture);
    }

    /// <summary>What messages call it.</summary>
    public string Name { get; }

    /// <summary>Device and inode.</summary>
    public FileIdentity Identity { get; }

    /// <summary>Its content.</summary>
    public ElfFile Elf { get; }

    /// <summary>The descriptor to attach by.</summary>
    public SafeFileHandle Handle => Stream.SafeFileHandle;

    private FileStream Stream { get; }

    /// <summary>Opens a program or library.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="root">The root folder that the path is meant in, where it is not ours: <c>/proc/PID/root</c>.</param>
    /// <exception cref="ElfException">It is not there, must not be read, or is no program of this machine.</exception>
    public static ProbeFile Open(string path, string name, string? root = null)
    {
        var stream = ProgramStream.Open(path, root);
        try
        {
            var file = new ProbeFile(stream, name, FileIdentity.Of(stream.SafeFileHandle));
            SymbolFile.AddTo(file.Elf, name, root);
            return file;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    public bool Equals(ProbeFile? other) => other is not null && Identity == other.Identity;

    public override bool Equals(object? obj) => Equals(obj as ProbeFile);

    public override int GetHashCode() => Identity.GetHashCode();
}
