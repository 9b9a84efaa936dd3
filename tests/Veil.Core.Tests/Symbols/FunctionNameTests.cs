// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text;
using Veil.Core.Symbols.Names;

namespace Veil.Core.Tests.Symbols;

/// <summary>Names of C++ and Rust functions, against c++filt(1) and against what the manglings' own documents say.</summary>
public sealed class FunctionNameTests
{
    private const int MutationRounds = 50_000;

    private static readonly string[] s_symbols =
    [
        "_ZN3Foo3barEi", "_ZNK3Foo3getEv", "_ZN3FooC1ERKS_", "_ZN3FooD1Ev", "_ZN2ns3FooIiE3barIdEEvT_", "_Z3fooPFivE", "_Z1fA10_i",
        "_Z1fM3FooKFvvE",
        "_ZN12_GLOBAL__N_13runEv", "_ZStlsISt11char_traitsIcEERSt13basic_ostreamIcT_ES5_PKc", "_ZNSt6vectorIiSaIiEE9push_backERKi",
        "_ZlsRSoRK3Foo",
        "_ZZ4mainENKUlvE_clEv", "_ZN3FoocvbEv", "_ZN3FooclEii", "_ZN1AIJidEE1fEv", "_Z4swapIiEvRT_S1_", "_ZNO3Foo4takeEv",
        "_ZN3fooB5cxx11Ev",
        "_Z1fILi3ELb1EEvv", "_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE6appendEPKc", "_Z1fPKPVc", "_Z1fRA3_Kc", "_ZZN1A1fEvE1x",
    ];

    [Fact]
    public void Read_Cpp_IsWhatCxxfiltSays()
    {
        string[] expected = Filtered("c++filt", s_symbols);

        for (int i = 0; i < s_symbols.Length; i++)
            FunctionName.Read(s_symbols[i]).ShouldNotBeNull(s_symbols[i]).Is(FunctionName.Normalize(expected[i]))
                .ShouldBeTrue($"{s_symbols[i]}: {FunctionName.Read(s_symbols[i])} is not {expected[i]}");
    }

    [Fact]
    public void Read_TheStandardLibrary_NearlyAllAsCxxfiltSaysAndNoneElse()
    {
        const string library = "/usr/lib/x86_64-linux-gnu/libstdc++.so.6";
        string[] symbols = [.. Output("nm", ["-D", "--defined-only", "--without-symbol-versions", library]).Split('\n')
            .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(static fields => fields is [_, "T" or "W" or "t", _]).Select(static fields => fields[2])
            .Where(static name => name.StartsWith("_Z", StringComparison.Ordinal)).Distinct()];
        string[] expected = Filtered("c++filt", symbols);
        var wrong = new List<string>();
        int unread = 0, read = 0;
        for (int i = 0; i < symbols.Length; i++)
        {
            if (FunctionName.Read(symbols[i]) is not { } name)
                unread++;
            else if (name.Is(FunctionName.Normalize(expected[i])))
                read++;
            else
                wrong.Add($"{symbols[i]}: {name.Result} {name.Full} is not {expected[i]}");
        }

        symbols.Length.ShouldBeGreaterThan(3000);
        wrong.ShouldBeEmpty();
        // Deleting destructors, thunks and names with expressions in them are left out.
        ((double)read / (read + unread)).ShouldBeGreaterThan(0.85);
    }

    [Theory]
    [InlineData("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad")]
    [InlineData("_ZN4test3foo28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE", "test::foo::{{closure}}")]
    [InlineData(
        "_ZN58_$LT$alloc..string..String$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE",
        "<alloc::string::String as core::fmt::Debug>::fmt")]
    [InlineData("_RNvC7mycrate4main", "mycrate::main")]
    [InlineData("_RNvNtC7mycrate6module3run", "mycrate::module::run")]
    [InlineData("_RNCNvC7mycrate4main0B3_", "mycrate::main::{closure#0}")]
    [InlineData("_RINvC7mycrate3fooljE", "mycrate::foo::<i32, usize>")]
    [InlineData("_RNvMC7mycrateNtB2_3Foo3bar", "<mycrate::Foo>::bar")]
    [InlineData("_RNvXC7mycrateNtB2_3FooNtB2_3Bar3baz", "<mycrate::Foo as mycrate::Bar>::baz")]
    [InlineData("_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y", "utf8_idents::საჭმელად_გემრიელი_სადილი")]
    public void Read_Rust_IsTheName(string symbol, string name) => FunctionName.Read(symbol).ShouldNotBeNull().Full.ShouldBe(name);

    [Theory]
    [InlineData("_ZN3Foo3barEi", "Foo::bar", true)]
    [InlineData("_ZN3Foo3barEi", "Foo::bar(int)", true)]
    [InlineData("_ZN3Foo3barEi", "Foo :: bar( int )", true)]
    [InlineData("_ZN3Foo3barEi", "Foo::bar(double)", false)]
    [InlineData("_ZN3Foo3barEi", "bar", false)]
    [InlineData("_ZN3Foo3barEv", "Foo::bar(void)", true)]
    [InlineData("_Z1fNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE", "f(std::string)", true)]
    [InlineData("_Z1fj", "f(unsigned int)", true)]
    [InlineData("_RNvMC7mycrateNtB2_3Foo3bar", "mycrate::Foo::bar", true)]
    [InlineData("main", "main", false)]
    public void Is_WhatAUserWrites_IsCompared(string symbol, string written, bool same) =>
        (FunctionName.Read(symbol)?.Is(FunctionName.Normalize(written)) ?? false).ShouldBe(same);

    [Theory]
    [InlineData("Foo::bar(int)", "Foo")]
    [InlineData("Foo::operator<<(std::ostream&)", "Foo")]
    [InlineData("operator new(unsigned long)", "")]
    [InlineData("std::string::size", "size")]
    [InlineData("operator delete[](void*)", "")]
    public void PartOf_AName_StandsInItsSymbol(string name, string part) => FunctionName.PartOf(name).ShouldBe(part);

    [Fact]
    public void Read_Mutated_EndsAndIsBounded()
    {
        var random = new Random(20240602);
        string[] seeds =
            [.. s_symbols, "_RNvXC7mycrateNtB2_3FooNtB2_3Bar3baz", "_RINvC7mycrate3fooljE",
            "_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y"];
        const string letters = "_ZNIESTPKLJXFMRODBCvcldit0123456789$.u\u00e9\0";
        for (int round = 0; round < MutationRounds; round++)
        {
            var symbol = new StringBuilder(seeds[random.Next(seeds.Length)]);
            for (int i = random.Next(1, 6); i > 0; i--)
            {
                int at = random.Next(1, symbol.Length);
                char letter = letters[random.Next(letters.Length)];
                if (random.Next(2) == 0)
                    symbol[at] = letter;
                else
                    symbol.Insert(at, letter);
            }

            (FunctionName.Read(symbol.ToString())?.Full.Length ?? 0).ShouldBeLessThan(1 << 15);
        }
    }

    [Fact]
    public void Read_NamesThatGrow_AreRefused()
    {
        // Each type holds the one before it twice.
        var symbol = new StringBuilder("_Z1fSt4pairIiiE");
        for (int i = 0; i < 40; i++)
            symbol.Append("St4pairIS").Append(i == 0 ? "" : Base36(i - 1)).Append("_S").Append(i == 0 ? "" : Base36(i - 1)).Append("_E");
        long start = Stopwatch.GetTimestamp();

        FunctionName.Read(symbol.ToString());
        FunctionName.Read("_Z1f" + new string('P', 100_000) + "i").ShouldBeNull();
        FunctionName.Read("_R" + new string('N', 100_000)).ShouldBeNull();
        FunctionName.Read("_RC" + "IB_" + new string('E', 10)).ShouldBeNull();

        Stopwatch.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(5));
    }

    private static string Base36(int value) =>
        value < 10 ? value.ToString() : value < 36 ? ((char)('A' + value - 10)).ToString() : "1" + (char)('0' + value - 36);

    private static string[] Filtered(string program, string[] symbols)
    {
        string file = Path.GetTempFileName();
        File.WriteAllLines(file, symbols);
        string[] lines = Output("sh", ["-c", $"{program} < {file}"]).TrimEnd('\n').Split('\n');
        File.Delete(file);
        return lines;
    }

    private static string Output(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }
}
