// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Core.Symbols;

namespace Veil.Modules.Uprobe;

/// <summary>
/// Which implementation the C library chose for this CPU, of functions that have several (IFUNC). The choice is the same in every process
/// of the machine, so it is asked of the copy that runs here, if that is the same file.
/// </summary>
internal static class ChosenFunction
{
    // Loaded already, or from the system's own folders: never the user's file, which would run with our privileges.
    private static readonly string[] s_libraries = ["libc.so.6", "libm.so.6"];

    /// <summary>Where in a file the implementation begins; nothing where that cannot be known here.</summary>
    /// <param name="file">The library.</param>
    /// <param name="name">The function, in its newest version.</param>
    public static ulong? OffsetIn(ProbeFile file, string name)
    {
        int at = name.IndexOf("@@", StringComparison.Ordinal);
        string plain = at > 0 ? name[..at] : name;
        return !plain.Contains('@', StringComparison.Ordinal) && Address(plain) is { } address && Mapped(address) is { } mapped
            && mapped.Is(file.Identity)
            ? address - mapped.Start + mapped.Offset
            : null;
    }

    /// <summary>The functions that share an implementation with this one: memmove is memcpy too.</summary>
    public static List<string> Siblings(ProbeFile file, string name) => Address(name) is { } address
        ? [.. file.Elf.IndirectFunctions().Where(other => other != name && Address(other) == address)]
        : [];

    private static ulong? Address(string name)
    {
        foreach (string library in s_libraries)
        {
            if (NativeLibrary.TryLoad(library, out nint handle) && NativeLibrary.TryGetExport(handle, name, out nint address))
                return (ulong)address;
        }

        return null;
    }

    private static MappedFile? Mapped(ulong address)
    {
        try
        {
            return MappedFile.Of(Environment.ProcessId).Find(file => address >= file.Start && address < file.End);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
