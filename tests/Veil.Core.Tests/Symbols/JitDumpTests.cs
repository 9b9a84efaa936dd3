// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Symbols;

namespace Veil.Core.Tests.Symbols;

public sealed class JitDumpTests : IDisposable
{
    private const uint Load = 0, Move = 1, Lines = 2;
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Find_FunctionThatTookAnothersPlace_IsTheOneOfThatTime()
    {
        using var dump = Of(Function(100, 0x1000, 0x20, 1, "first"), Function(200, 0x1010, 0x20, 2, "second"));

        dump.Find(0x1015, 150, withLine: false).ShouldBe(("first", 0x1000ul, null));
        dump.Find(0x1015, 250, withLine: false).ShouldBe(("second", 0x1010ul, null));
        dump.Find(0x1005, 250, withLine: false).ShouldBe(("first", 0x1000ul, null));
        dump.Find(0x1005, 50, withLine: false).ShouldBeNull();
        dump.Find(0x1030, 250, withLine: false).ShouldBeNull();
    }

    [Fact]
    public void Find_FunctionThatWasMoved_IsWhereItIs()
    {
        using var dump = Of(Function(100, 0x1000, 0x20, 7, "moved"), Record(Move, 200, 1, 1, 0x1000ul, 0x1000ul, 0x5000ul, 0x20ul, 7ul));

        dump.Find(0x5001, 250, withLine: false).ShouldBe(("moved", 0x5000ul, null));
        dump.Find(0x5001, 150, withLine: false).ShouldBeNull();
    }

    [Fact]
    public void Find_Lines_AreThoseBeforeTheirFunction()
    {
        using var dump = Of(
            Record(Lines, 90, 0x1000ul, 2ul, 0x1000ul, 10, 0, "a.js", 0x1008ul, 12, 0, (byte)0xff, (byte)0), Function(100, 0x1000, 0x20, 1, "f"));

        dump.Find(0x1007, 150, withLine: true).ShouldBe(("f", 0x1000ul, "a.js:10"));
        dump.Find(0x1008, 150, withLine: true).ShouldBe(("f", 0x1000ul, "a.js:12"));
    }

    [Fact]
    public void Find_FileThatGrows_IsReadOn()
    {
        using var dump = Of(Function(100, 0x1000, 0x20, 1, "first"));
        byte[] more = Function(200, 0x2000, 0x20, 2, "second");

        File.AppendAllBytes(_path, more[..20]);
        dump.Find(0x2000, 300, withLine: false).ShouldBeNull();
        File.AppendAllBytes(_path, more[20..]);
        dump.Find(0x2000, 300, withLine: false).ShouldBe(("second", 0x2000ul, null));
    }

    [Fact]
    public void Find_DamagedFile_GivesAnswersAndNoError()
    {
        var random = new Random(63);
        byte[] whole = [.. Header(), .. Enumerable.Range(0, 50).SelectMany(i => Function(i, 0x1000ul + (ulong)(i * 0x10), 0x20, (ulong)i, "function" + i))];
        for (int round = 0; round < 500; round++)
        {
            byte[] damaged = [.. whole];
            for (int i = 0; i < 20; i++)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(_path, damaged[..random.Next(damaged.Length)]);
            using var dump = new JitDump(File.OpenRead(_path));

            for (ulong address = 0xff0; address < 0x1400; address += 0x10)
                _ = dump.Find(address, 25, withLine: true);
        }
    }

    [Theory]
    [InlineData("/tmp/jit-12.dump", true)]
    [InlineData("/home/u/.debug/jit/java/jit-7.dump", true)]
    [InlineData("jit-12.dump", false)]
    [InlineData("/tmp/jit-.dump", false)]
    [InlineData("/tmp/jit-1x.dump", false)]
    [InlineData("/tmp/ajit-1.dump", false)]
    public void IsNamed_Path_IsThatOfADump(string path, bool expected) => JitDump.IsNamed(path).ShouldBe(expected);

    private JitDump Of(params byte[][] records)
    {
        File.WriteAllBytes(_path, [.. Header(), .. records.SelectMany(static record => record)]);
        return new JitDump(new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
    }

    private static byte[] Header() => Bytes(0x4a695444, 1, 40, 62, 0, 1, 0ul, 0ul);

    private static byte[] Function(long time, ulong start, ulong bytes, ulong index, string name) =>
        Record(Load, time, 1, 1, start, start, bytes, index, name, new byte[bytes]);

    private static byte[] Record(uint kind, long time, params object[] fields)
    {
        byte[] body = Bytes(fields);
        return [.. Bytes((int)kind, 16 + body.Length, (ulong)time), .. body];
    }

    private static byte[] Bytes(params object[] fields) => [.. fields.SelectMany(static field => field switch
    {
        int number => BitConverter.GetBytes(number),
        ulong number => BitConverter.GetBytes(number),
        byte one => [one],
        byte[] code => code,
        string text => [.. Encoding.UTF8.GetBytes(text), 0],
        _ => throw new InvalidOperationException(field.ToString()),
    })];
}
