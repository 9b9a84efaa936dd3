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
