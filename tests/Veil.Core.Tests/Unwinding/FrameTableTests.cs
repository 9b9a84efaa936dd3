// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Veil.Core.Symbols;
using Veil.Core.Unwinding;

namespace Veil.Core.Tests.Unwinding;

/// <summary>Frame tables against readelf's, and against whoever wrote them.</summary>
public sealed class FrameTableTests
{
    private const string Library = LibraryFactAttribute.Library;
    private const int RowsMax = 40_000;

    private static readonly string[] s_registers =
        ["rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "ra"];

    [LibraryFact]
    public void Find_EveryRowOfTheCLibrary_IsWhatReadelfSays()
    {
        var table = ReadLibrary();
        using var readelf = Process.Start(new ProcessStartInfo("readelf", ["--debug-dump=frames-interp", Library]) { RedirectStandardOutput = true })!;
        string[] columns = [];
        int compared = 0, expressions = 0;
        while (readelf.StandardOutput.ReadLine() is { } line)
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is ["LOC", "CFA", ..])
                columns = words[2..];
            if (words.Length < 2 || words.Length != columns.Length + 2 || words[0].Length != 16
                || !ulong.TryParse(words[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong place) || compared == RowsMax)
                continue;
            // Rows of common entries stand at 0.
            if (place == 0 || table.Find(place) is not { } row)
            {
                place.ShouldBe(0UL);
                continue;
            }

            (row.AddressRegister < 0 ? "exp" : s_registers[row.AddressRegister] + row.AddressOffset.ToString("+0;-0", CultureInfo.InvariantCulture))
                .ShouldBe(words[1], line);
            for (int i = 0; i < columns.Length; i++)
            {
                int register = Array.IndexOf(s_registers, columns[i] == "rip" ? "ra" : columns[i]);
                var (rule, value, _) = row.Of(register);
                string said = rule switch
                {
                    FrameRule.AtOffset => "c" + value.ToString("+0;-0", CultureInfo.InvariantCulture),
                    FrameRule.AtExpression => "exp",
                    FrameRule.Expression => "vexp",
                    FrameRule.Offset => "v" + value.ToString("+0;-0", CultureInfo.InvariantCulture),
                    _ => "u",
                };
                (words[i + 2] == "s" ? "u" : words[i + 2]).ShouldBe(said, $"{line}: {columns[i]}");
            }

            expressions += row.AddressRegister < 0 ? 1 : 0;
            compared++;
        }

        compared.ShouldBeGreaterThan(5_000);
        expressions.ShouldBeGreaterThan(0);
    }

    /// <summary>The stub of a function in another library pushes a number after eleven of its sixteen bytes: one expression says both.</summary>
    [Theory]
    [InlineData(0x1020, 8)]
    [InlineData(0x102a, 8)]
    [InlineData(0x102b, 16)]
    [InlineData(0x102f, 16)]
    public void Expression_OfAStub_IsTheFrameOfEachOfItsInstructions(ulong code, int above)
    {
        byte[] expression = [0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22];
        var registers = new ulong[17];
        (registers[7], registers[16]) = (0x7000, code);

        FrameExpression.TryEvaluate(expression, registers, default, null, out ulong frame).ShouldBeTrue();

        frame.ShouldBe(0x7000UL + (ulong)above);
    }

    [Theory]
    [InlineData(new byte[] { 0x2f, 0xfd, 0xff })] // goes back to itself
    [InlineData(new byte[] { 0x30, 0x12, 0x2f, 0xfc, 0xff })] // puts one more on its stack each time
    [InlineData(new byte[] { 0x22 })] // adds nothing to nothing
    [InlineData(new byte[] { 0x06 })]
    [InlineData(new byte[] { 0x0e, 1 })] // is cut off
    [InlineData(new byte[] { 0x2f, 0, 0x80 })] // goes before its beginning
    [InlineData(new byte[] { 0x03, 0, 0, 0, 0, 0, 0, 0, 0 })] // an address
    [InlineData(new byte[] { 0x92, 0xff, 0xff, 0x7f, 0 })] // a register that is none
    [InlineData(new byte[] { 0x30, 0x15, 200 })]
    [InlineData(new byte[] { 0x0e, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x06 })] // memory that was not copied
    [InlineData(new byte[] { })]
    public void Expression_Absurd_GivesNothing(byte[] expression) =>
        FrameExpression.TryEvaluate(expression, new ulong[17], default, null, out _).ShouldBeFalse();

    [LibraryFact]
    public void Find_DamagedTables_NeverFails()
    {
        byte[] whole = LibraryBytes(out ulong address);
        var random = new Random(62);
        var time = Stopwatch.StartNew();
        for (int round = 0; round < 60; round++)
        {
            byte[] damaged = [.. whole];
            for (int i = 0; i < 400; i++)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            var table = new FrameTable(damaged[..random.Next(damaged.Length)], address, isDebug: round % 2 == 1, FrameRegisters.X64.Count);
            for (int i = 0; i < 500; i++)
                _ = table.Find((ulong)random.NextInt64(0x20000, 0x180000));
        }

        time.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(60));
    }

    private static FrameTable ReadLibrary()
    {
        using var file = File.OpenRead(Library);
        return new ElfFile(file, Architecture.X64).ReadFrames()[0];
    }

    private static byte[] LibraryBytes(out ulong address)
    {
        using var readelf = Process.Start(new ProcessStartInfo("readelf", ["-SW", Library]) { RedirectStandardOutput = true })!;
        string[] section = readelf.StandardOutput.ReadToEnd().Split('\n').Single(static line => line.Contains(" .eh_frame ", StringComparison.Ordinal))
            .Split(']')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        address = Hex(section[2]);
        return File.ReadAllBytes(Library)[(int)Hex(section[3])..][..(int)Hex(section[4])];
    }

    private static ulong Hex(string text) => ulong.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
