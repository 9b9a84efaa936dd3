// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Core.Text;

namespace Veil.Core.Symbols;

/// <summary>Finds the symbols of a stripped file, where distributions put them.</summary>
internal static class SymbolFile
{
    private const string DebugFolder = "/usr/lib/debug";

    /// <summary>Gives a file its symbols, if they are somewhere and are of this very build.</summary>
    /// <param name="elf">The file.</param>
    /// <param name="path">Where it is.</param>
    /// <param name="root">The root folder that the path is meant in, where it is not ours.</param>
    public static void AddTo(ElfFile elf, string path, string? root)
    {
        const int folderDigits = 2;
        if (elf.HasSymbols)
            return;
        string id = elf.BuildId;
        if (id.Length > folderDigits)
            elf.Companion =
                TryRead($"{DebugFolder}/.build-id/{id[..folderDigits]}/{id[folderDigits..]}.debug", root, file => file.BuildId == id);
        if (elf.Companion is not null || elf.DebugLink is not { } link || Path.GetDirectoryName(path) is not { } folder)
            return;
        foreach (
            string candidate in new[] { $"{folder}/{link.Name}", $"{folder}/.debug/{link.Name}", $"{DebugFolder}{folder}/{link.Name}" })
            elf.Companion ??= TryRead(candidate, root, file => Fits(file, candidate));
        if (elf.Companion is null && elf.SymbolsMissing.Length == 0)
            elf.SymbolsMissing = $"; {Escaping.ForMessage(link.Name)}, which it names for them, is not there";

        bool Fits(ElfFile file, string candidate)
        {
            if (id.Length > 0 && file.BuildId.Length > 0 ? file.BuildId == id : file.Crc() == link.Crc)
                return true;
            elf.SymbolsMissing = $"; {Escaping.ForMessage(candidate)}, which it names for them, is of another build";
            return false;
        }
    }

    /// <summary>Where the symbols of a file may be: by the id of its build, then by its debug link.</summary>
    /// <param name="elf">The file.</param>
    /// <param name="path">Its path.</param>
    public static IEnumerable<string> PlacesOf(ElfFile elf, string path)
    {
        const int folderDigits = 2;
        string id = elf.BuildId;
        if (id.Length > folderDigits)
        {
            yield return $"{DebugFolder}/.build-id/{id[..folderDigits]}/{id[folderDigits..]}.debug";
            // What debuginfod-find(1) has fetched for our user.
            if (DownloadFolder() is { } folder)
                yield return $"{folder}/{id}/debuginfo";
        }

        if (elf.DebugLink is not { } link || Path.GetDirectoryName(path) is not { } own)
            yield break;
        yield return $"{own}/{link.Name}";
        yield return $"{own}/.debug/{link.Name}";
        yield return $"{DebugFolder}{own}/{link.Name}";
    }

    private static string? DownloadFolder()
    {
        if (Environment.GetEnvironmentVariable("DEBUGINFOD_CACHE_PATH") is { Length: > 0 } path)
            return path;
        string? cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } given ? given
            : Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home ? home + "/.cache" : null;
        return cache is null ? null : cache + "/debuginfod_client";
    }

    // Stays open as long as the file that it belongs to; only its symbols are read.
    private static ElfFile? TryRead(string path, string? root, Func<ElfFile, bool> fits)
    {
        FileStream? stream = null;
        try
        {
            stream = ProgramStream.Open(path, root);
            var file = new ElfFile(stream, RuntimeInformation.OSArchitecture, isCompanion: true);
            if (file.HasSymbols && fits(file))
                return file;
        }
        catch (ElfException)
        {
            // As good as none.
        }

        stream?.Dispose();
        return null;
    }
}
