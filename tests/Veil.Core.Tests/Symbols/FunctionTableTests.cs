// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Veil.Core.Symbols;

namespace Veil.Core.Tests.Symbols;

/// <summary>Functions by address, beside what nm(1) says of the same file.</summary>
public sealed class FunctionTableTests
{
    [Fact]
    public void Find_EachFunctionOfTheCLibrary_HasANameThatNmGivesIt()
    {
        string path = $"/lib/{(RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "aarch64" : "x86_64")}-linux-gnu/libc.so.6";
        using var stream = File.OpenRead(path);
        var elf = new ElfFile(stream, RuntimeInformation.OSArchitecture);
        var functions = elf.ReadFunctions();

        int seen = 0;
        foreach (var (address, names) in ByNm(path))
        {
            var found = functions.Find(address).ShouldNotBeNull($"0x{address:x}");
            found.Start.ShouldBe(address);
            names.ShouldContain(elf.FunctionNameAt(found.Name));
            seen++;
        }

        seen.ShouldBeGreaterThan(1_000);
    }

    [Fact]
    public void Kernel_TextOfKallsyms_NamesModulesAndTakesTheFirstOfSeveral()
    {
        var symbols = KernelSymbols.Parse(Encoding.ASCII.GetBytes(
            "ffffffff81000000 T first\nffffffff81000000 t second\nffffffff81000100 D data\nffffffff81000200 t third\n" +
            "ffffffffc0000000 t inside\t[ext4]\nffffffff81000180 W weak\n"));

        symbols.Find(0xffffffff81000080).ShouldBe(("first", 0xffffffff81000000, "[kernel]"));
        symbols.Find(0xffffffff81000190).ShouldBe(("weak", 0xffffffff81000180, "[kernel]"));
        symbols.Find(0xffffffffc0000010).ShouldBe(("inside", 0xffffffffc0000000, "[ext4]"));
        symbols.Find(0xffffffff80ffffff).ShouldBeNull();
    }

    private static Dictionary<ulong, HashSet<string>> ByNm(string path)
    {
        using var process = Process.Start(new ProcessStartInfo("nm", ["-D", "--defined-only", path]) { RedirectStandardOutput = true })!;
        var functions = new Dictionary<ulong, HashSet<string>>();
        while (process.StandardOutput.ReadLine() is { } line)
        {
            string[] words = line.Split(' ');
            if (words.Length != 3 || words[1] is not ("T" or "t" or "W" or "i"))
                continue;
            ulong address = ulong.Parse(words[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (!functions.TryGetValue(address, out var names))
                functions[address] = names = new HashSet<string>(StringComparer.Ordinal);
            names.Add(words[2].Split('@')[0]);
        }

        process.WaitForExit();
        return functions;
    }
}
