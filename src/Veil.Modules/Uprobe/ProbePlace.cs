// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Runtime.InteropServices;
using Veil.Core.Symbols;
using Veil.Core.Text;

namespace Veil.Modules.Uprobe;

/// <summary>Reads what stands behind the path: a function, an address, an instruction of a function, a USDT probe.</summary>
internal static class ProbePlace
{
    /// <summary>The places in a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="what">What the user wrote.</param>
    /// <param name="warnings">Takes what the user should know.</param>
    /// <exception cref="ElfException">There is no such place.</exception>
    public static IReadOnlyList<ProbeSite> Find(ProbeFile file, string what, List<string> warnings)
    {
        var sites = Places(file, what, warnings).ToList();
        if (sites.SelectMany(static site => site.Offsets).Any(offset => BeginsWithEvex(file, offset)))
            throw new ElfException(
                $"must not be probed at {Escaping.ForMessage(what)}: its instruction there is one of AVX-512, which the kernel's uprobes " +
                $"make go wrong, and the program with it; probe a function that calls it");
        return sites;
    }

    // Linux 6.18 steps over such an instruction without its effect, with every tracer: of memset() on a CPU with AVX-512, the first.
    private static bool BeginsWithEvex(ProbeFile file, ulong offset)
    {
        const byte evex = 0x62; // in 64-bit code nothing else begins so
        Span<byte> first = stackalloc byte[1];
        return RuntimeInformation.OSArchitecture == Architecture.X64 && RandomAccess.Read(file.Handle, first, (long)offset) == 1
            && first[0] == evex;
    }

    private static IEnumerable<ProbeSite> Places(ProbeFile file, string what, List<string> warnings)
    {
        if (IsUsdt(what, out string provider, out string probe))
        {
            return file.Elf.FindUsdt(provider, probe)
                .GroupBy(static place => place.Counter)
                .Select(places => new ProbeSite(file, [.. places.Select(static place => place.Offset)], places.Key));
        }

        if (IsAddress(what, out ulong address))
        {
            return [new ProbeSite(file, [AtAddress(file, address, warnings)])];
        }

        if (IsInstruction(what, out string function, out ulong distance))
            return [new ProbeSite(file, Inside(file, function, distance, warnings))];
        string? chosen = null;
        var functions = file.Elf.FindSymbols(what, name => ChosenFunction.OffsetIn(file, chosen = name))
            .DistinctBy(static function => function.Offset).ToList();
        if (chosen is not null && ChosenFunction.Siblings(file, chosen.Split('@')[0]) is { Count: > 0 } siblings)
            warnings.Add($"{chosen} is the same code as {string.Join(", ", siblings)} on this CPU: calls of either are events");
        return [new ProbeSite(
            file, functions.ConvertAll(static function => function.Offset)) {
            Lengths = functions.ConvertAll(static function => function.Bytes) }];
    }

    /// <summary>Is it a place in code that does not return?</summary>
    public static bool IsNoFunction(string what) =>
        IsUsdt(what, out _, out _) || IsAddress(what, out _) || IsInstruction(what, out _, out _);

    /// <summary>Is a bracket open at the end? Those of C++ operators are none.</summary>
    public static bool HasOpenBracket(string value)
    {
        const string word = "operator";
        int open = 0;
        for (int i = 0; i < value.Length; i++)
        {
            if (value.AsSpan(i).StartsWith(word, StringComparison.Ordinal))
            {
                i += word.Length;
                while (i < value.Length && value[i] is '<' or '>' or '-' or '=')
                    i++;
            }

            if (i < value.Length)
                open += value[i] switch { '(' or '[' or '<' => 1, ')' or ']' => -1, '>' when i == 0 || value[i - 1] != '-' => -1, _ => 0 };
        }

        return open > 0;
    }

    private static ulong AtAddress(ProbeFile file, ulong address, List<string> warnings)
    {
        ulong offset = file.Elf.OffsetOfAddress(address);
        if (file.Elf.FunctionAt(offset) is { } function
            && InstructionStarts.Around(file.Elf, (function.Start, function.Bytes), offset) is { } around)
            Require(around, offset, at => $"0x{address + at - offset:x}");
        else
            warnings.Add(
                $"0x{address:x} in {Escaping.ForMessage(file.Name)} is taken for the start of an instruction; if it is " +
                $"none, the program breaks");
        return offset;
    }

    private static List<ulong> Inside(ProbeFile file, string function, ulong distance, List<string> warnings)
    {
        var offsets = new List<ulong>();
        bool isCertain = true;
        foreach (var (start, bytes) in file.Elf.FindSymbols(function, name => ChosenFunction.OffsetIn(file, name)))
        {
            if (bytes > 0 && distance >= bytes)
                throw new ElfException($"has no {Escaping.ForMessage(function)}+0x{distance:x}: the function is {bytes} bytes long");
            if (InstructionStarts.Around(file.Elf, (start, bytes), start + distance) is { } around)
                Require(around, start + distance, at => $"{Escaping.ForMessage(function)}+0x{at - start:x}");
            else
                isCertain = false;
            offsets.Add(start + distance);
        }

        if (!isCertain)
            warnings.Add(
                $"{Escaping.ForMessage(function)}+0x{distance:x} is taken for the start of an instruction; if it is " +
                $"none, the program breaks");
        return offsets;
    }

    private static void Require((ulong Start, ulong Next) around, ulong offset, Func<ulong, string> name)
    {
        if (around.Start != offset)
            throw new ElfException(
                $"has no instruction that begins at {name(offset)}: a probe there would break the program; one begins at " +
                $"{name(around.Start)}, the next at {name(around.Next)}");
    }

    // provider:probe; a name of C++ or Rust has two colons.
    private static bool IsUsdt(string what, out string provider, out string probe)
    {
        int colon = what.IndexOf(':', StringComparison.Ordinal);
        (provider, probe) = colon < 0 ? ("", "") : (what[..colon], what[(colon + 1)..]);
        return IsWord(provider) && IsWord(probe.Replace('-', '_'));
    }

    private static bool IsWord(string text) =>
        text.Length > 0 && !char.IsAsciiDigit(text[0]) && text.All(static c => char.IsAsciiLetterOrDigit(c) || c == '_');

    private static bool IsAddress(string what, out ulong address)
    {
        address = 0;
        return what.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            && ulong.TryParse(what.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out address);
    }

    private static bool IsInstruction(string what, out string function, out ulong distance)
    {
        int plus = what.LastIndexOf('+');
        (function, distance) = ("", 0);
        if (plus <= 0)
            return false;
        function = what[..plus];
        string number = what[(plus + 1)..];
        return IsAddress(number, out distance) || ulong.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out distance);
    }
}
