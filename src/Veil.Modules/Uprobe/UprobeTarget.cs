using System.Runtime.InteropServices;
using Veil.Core;
using Veil.Core.Text;

namespace Veil.Modules.Uprobe;

/// <summary>A function in a file.</summary>
/// <param name="Path">The file, absolute.</param>
/// <param name="Symbol">The function, as the user wrote it.</param>
/// <param name="Offsets">Where in the file it begins; several where several functions have the name.</param>
/// <param name="IsGo">The file was made by the Go compiler.</param>
internal sealed record UprobeTarget(string Path, string Symbol, IReadOnlyList<ulong> Offsets, bool IsGo)
{
    private const string Flag = "--" + UprobeModule.TargetFlag;

    /// <summary>Reads a value of the flag, and the file that it names.</summary>
    /// <param name="text"><c>PATH:SYMBOL</c>; the last colon splits.</param>
    /// <exception cref="UsageException">It is no such value, or the function is not there.</exception>
    public static UprobeTarget Parse(string text)
    {
        string shown = Escaping.ForMessage(text);
        int colon = text.LastIndexOf(':');
        if (colon < 0)
            throw new UsageException($"{Flag}: '{shown}' is not PATH:SYMBOL, such as /usr/bin/bash:readline");
        var (path, symbol) = (text[..colon], text[(colon + 1)..]);
        if (path.Length == 0)
            throw new UsageException($"{Flag}: '{shown}' names no file; give PATH:SYMBOL, such as /usr/bin/bash:readline");
        if (symbol.Length == 0)
            throw new UsageException($"{Flag}: '{shown}' names no function; give PATH:SYMBOL, such as /usr/bin/bash:readline");
        path = LibraryPath.Resolve(path);
        try
        {
            using var file = OpenFile.ForReading(path);
            var elf = new ElfFile(file, RuntimeInformation.OSArchitecture);
            return new UprobeTarget(path, symbol, elf.FindFunction(symbol), elf.IsGo);
        }
        catch (ElfException wrong)
        {
            throw new UsageException($"{Flag}: {Escaping.ForMessage(path)} {wrong.Message}");
        }
    }

    /// <summary>The start of this very program: code that never runs again.</summary>
    public static UprobeTarget OwnStart()
    {
        string path = Environment.ProcessPath ?? "/proc/self/exe";
        try
        {
            using var file = OpenFile.ForReading(path);
            return new UprobeTarget(path, "_start", [new ElfFile(file, RuntimeInformation.OSArchitecture).EntryOffset], IsGo: false);
        }
        catch (ElfException wrong)
        {
            throw new VeilException($"{path} {wrong.Message}", wrong);
        }
    }
}
