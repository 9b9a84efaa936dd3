using System.Runtime.InteropServices;

namespace Veil.Modules.Uprobe;

/// <summary>
/// Which implementation the C library chose for this CPU, of functions that have several (IFUNC). The choice is the same in every process of the
/// machine, so it is asked of the copy that runs here, if that is the same file.
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
        if (plain.Contains('@', StringComparison.Ordinal))
            return null;
        foreach (string library in s_libraries)
        {
            if (NativeLibrary.TryLoad(library, out nint handle) && NativeLibrary.TryGetExport(handle, plain, out nint address)
                && Mapped((ulong)address) is { } mapped && mapped.Is(file))
            {
                return (ulong)address - mapped.Start + mapped.Offset;
            }
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
