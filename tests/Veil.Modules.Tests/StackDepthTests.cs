// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;

namespace Veil.Modules.Tests;

/// <summary>
/// The memory of the functions under way in BPF programs, by their instructions. Before 6.13 the kernel refuses a program in which a function and
/// those that it calls have more than 512 bytes together, each counted in steps of 32 (<c>check_max_stack_depth()</c>), whatever of it can run. The
/// kernel of the machine at hand may allow more, and a guest's test loads the modes that it tries.
/// </summary>
public sealed class StackDepthTests
{
    private const int StackMax = 512; // MAX_BPF_STACK
    private const int FramesMax = 8; // MAX_CALL_FRAMES

    public static TheoryData<string> Objects =>
        [.. Directory.EnumerateFiles(Path.Combine(Root(), "artifacts/bpf"), "*.bpf.o").Select(static file => Path.GetFileName(file))];

    [Theory]
    [MemberData(nameof(Objects))]
    public void Functions_WithThoseThatTheyCall_FitIntoTheStack(string name)
    {
        var functions = Functions(File.ReadAllBytes(Path.Combine(Root(), "artifacts/bpf", name)));

        functions.Count.ShouldBeGreaterThan(2);
        foreach (var function in functions)
        {
            var (bytes, chain) = Deepest(function);
            bytes.ShouldBeLessThanOrEqualTo(StackMax, chain);
            chain.Count(static letter => letter == '>').ShouldBeLessThan(FramesMax, chain);
        }
    }

    private static (int Bytes, string Chain) Deepest(Function function)
    {
        (int Bytes, string Chain) most = (0, "");
        foreach (var called in function.Calls.Select(static called => Deepest(called)))
            most = called.Bytes > most.Bytes ? called : most;
        int own = (Math.Max(function.StackBytes, 1) + 31) / 32 * 32;
        return (own + most.Bytes, $"{function.Name}: {function.StackBytes}{(most.Bytes > 0 ? " > " + most.Chain : "")}");
    }

    // An ELF file as clang makes it: functions are symbols, and calls among them have relocations or a distance.
    private static List<Function> Functions(byte[] file)
    {
        const int sectionBytes = 64, symbolBytes = 24, relocationBytes = 16, symbols = 2, relocations = 9, function = 2, ofSection = 3;
        var sections = Enumerable.Range(0, Word16(file, 60)).Select(i => new Section(file.AsMemory((int)Word64(file, 40) + (i * sectionBytes), sectionBytes))).ToList();
        var table = sections.Single(static section => section.Type == symbols);
        byte[] names = sections[table.Link].Content(file), entries = table.Content(file);
        var all = Enumerable.Range(0, entries.Length / symbolBytes).Select(i => i * symbolBytes).Select(at => (
            Name: Encoding.ASCII.GetString(names.AsSpan(Word32(entries, at))[..names.AsSpan(Word32(entries, at)).IndexOf((byte)0)]),
            Type: entries[at + 4] & 15, Section: Word16(entries, at + 6), Value: Word64(entries, at + 8), Bytes: Word64(entries, at + 16))).ToList();
        var targets = sections.Where(static section => section.Type == relocations)
            .SelectMany(section => section.Content(file).Chunk(relocationBytes).Select(entry => ((section.Info, Word64(entry, 0)), Word32(entry, 12))))
            .ToDictionary(static pair => pair.Item1, static pair => pair.Item2);
        var functions = all.Where(static symbol => symbol.Type == function)
            .Select(static symbol => new Function(symbol.Name, symbol.Section, symbol.Value, symbol.Value + symbol.Bytes)).ToList();
        foreach (var one in functions)
        {
            byte[] code = sections[one.Section].Content(file);
            for (long at = one.Start; at < one.End; at += code[at] == 0x18 ? 16 : 8)
            {
                one.Note(code.AsSpan((int)at));
                if (!(code[at] == 0x85 && code[at + 1] >> 4 == 1))
                    continue;
                long distance = (Word32(code, (int)at + 4) + 1) * 8L;
                var (section, place) = targets.TryGetValue((one.Section, at), out int symbol)
                    ? (all[symbol].Section, all[symbol].Type == ofSection ? distance : all[symbol].Value) : (one.Section, at + distance);
                // A function of the kernel is in no section here.
                if (section != 0)
                    one.Calls.Add(functions.Single(called => called.Section == section && called.Start == place));
            }
        }

        return functions;
    }

    private static int Word16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static int Word32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]);

    private static long Word64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Veil.slnx")))
            folder = folder.Parent;
        return folder.FullName;
    }

    private readonly struct Section(ReadOnlyMemory<byte> header)
    {
        public int Type => Word32(header.Span, 4);

        public int Link => Word32(header.Span, 40);

        public int Info => Word32(header.Span, 44);

        public byte[] Content(byte[] file) => file.AsSpan((int)Word64(header.Span, 24), (int)Word64(header.Span, 32)).ToArray();
    }

    private sealed record Function(string Name, int Section, long Start, long End)
    {
        public HashSet<Function> Calls { get; } = new(ReferenceEqualityComparer.Instance);

        public int StackBytes { get; private set; }

        // What is stored and loaded by r10, and what is r10 with something added.
        public void Note(ReadOnlySpan<byte> code)
        {
            const int frame = 10;
            int kind = code[0] & 7, target = code[1] & 15, source = code[1] >> 4;
            if ((kind == 1 && source == frame) || (kind is 2 or 3 && target == frame))
                StackBytes = Math.Max(StackBytes, -BinaryPrimitives.ReadInt16LittleEndian(code[2..]));
            if (code[0] == 0xbf && source == frame && code.Length >= 16 && code[8] == 0x07 && (code[9] & 15) == target)
                StackBytes = Math.Max(StackBytes, -Word32(code, 12));
        }
    }
}
