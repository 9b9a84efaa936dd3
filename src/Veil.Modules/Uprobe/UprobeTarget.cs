// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core;
using Veil.Core.Symbols;
using Veil.Core.Text;

namespace Veil.Modules.Uprobe;

/// <summary>A function that is traced.</summary>
/// <param name="Path">The file, absolute, as the user named it.</param>
/// <param name="Symbol">The function, as the user wrote it.</param>
/// <param name="Sites">Where it begins: in several files where processes run several, at several places where several functions have the
/// name.</param>
/// <param name="Warnings">What the user should know.</param>
internal sealed record UprobeTarget(string Path, string Symbol, IReadOnlyList<ProbeSite> Sites, IReadOnlyList<string> Warnings)
{
    private const string Flag = "--" + UprobeModule.TargetFlag;
    private const string Form = "PATH:SYMBOL, such as /usr/bin/bash:readline";

    /// <summary>A place in code, and no function that could return.</summary>
    public bool IsPlace => ProbePlace.IsNoFunction(Symbol);

    /// <summary>As messages name it.</summary>
    public string Shown => $"{Escaping.ForMessage(Symbol)} ({Escaping.ForMessage(Path)})";

    /// <summary>Was a file of it made by the Go compiler?</summary>
    public bool IsGo => Sites.Any(static site => site.File.Elf.IsGo);

    /// <summary>The same, with where it returns: only programs that unwind their stacks need to know, the kernel sees the returns of others
    /// itself.</summary>
    public UprobeTarget WithReturns() =>
        this with
        {
            Sites = [.. Sites.Select(static site => site.File.Elf.CanUnwind ? site with { Returns = ReturnSites.Find(site) } : site)]
        };

    /// <summary>Reads a value of the flag, and the file that it names.</summary>
    /// <param name="text"><c>PATH:SYMBOL</c>. The longest part in front of a colon that leads to a file is the path.</param>
    /// <param name="processes">Whose files it means.</param>
    /// <exception cref="UsageException">It is no such value, or the function is not there.</exception>
    public static UprobeTarget Parse(string text, ProcessScope processes)
    {
        string shown = Escaping.ForMessage(text);
        int colon = text.IndexOf(':');
        if (colon < 0)
            throw new UsageException($"{Flag}: '{shown}' is not {Form}");
        if (colon == 0)
            throw new UsageException($"{Flag}: '{shown}' names no file; give {Form}");
        for (int at = text.LastIndexOf(':'); at > colon; at = text.LastIndexOf(':', at - 1))
        {
            // Two colons are in the names of C++ and Rust.
            if (text[at - 1] != ':' && !text.AsSpan(at + 1).StartsWith(":") && processes.Knows(text[..at]))
                colon = at;
        }

        var (path, symbol) = (text[..colon], text[(colon + 1)..]);
        if (symbol.Length == 0)
            throw new UsageException($"{Flag}: '{shown}' names no function; give {Form}");
        return Find(path, symbol, processes);
    }

    /// <summary>The start of this very program: code that never runs again.</summary>
    public static UprobeTarget OwnStart()
    {
        string path = Environment.ProcessPath ?? "/proc/self/exe";
        try
        {
            var file = ProbeFile.Open(path, path);
            return new UprobeTarget(path, "_start", [new ProbeSite(file, [file.Elf.EntryOffset])], []);
        }
        catch (ElfException wrong)
        {
            throw new VeilException($"{path} {wrong.Message}", wrong);
        }
    }

    private static UprobeTarget Find(string path, string symbol, ProcessScope processes)
    {
        var warnings = new List<string>();
        try
        {
            (path, var files) = processes.Find(path, warnings);
            return new UprobeTarget(path, symbol, SitesOf(files, symbol, warnings), warnings);
        }
        catch (ElfException wrong)
        {
            throw new UsageException($"{Flag}: {Escaping.ForMessage(LibraryPath.Resolve(path))} {wrong.Message}");
        }
    }

    // One of several files may be of another version, without the function.
    private static List<ProbeSite> SitesOf(List<ProbeFile> files, string symbol, List<string> warnings)
    {
        var sites = new List<ProbeSite>();
        foreach (var file in files)
        {
            try
            {
                sites.AddRange(ProbePlace.Find(file, symbol, warnings));
            }
            catch (ElfException wrong) when (files.Count > 1 && (sites.Count > 0 || !file.Equals(files[^1])))
            {
                warnings.Add(
                    $"one of the files that the processes run as {Escaping.ForMessage(file.Name)} {wrong.Message}; " +
                    $"calls there are not seen");
            }
        }

        return sites;
    }
}
