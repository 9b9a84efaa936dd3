// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Symbols;

namespace Veil.Core.Tests.Symbols;

/// <summary>Maps of compilers at run time, which may be anything.</summary>
public sealed class JitMapTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Find_Functions_AreNamedUpToTheirEnds()
    {
        using var map = Write("1000 20 first\n1020 10 Name with blanks\n0x2000 0x8 prefixed\n");

        map.Find(0x1000).ShouldBe(("first", 0x1000ul));
        map.Find(0x101f).ShouldBe(("first", 0x1000ul));
        map.Find(0x1025).ShouldBe(("Name with blanks", 0x1020ul));
        map.Find(0x1030).ShouldBeNull();
        map.Find(0x2007).ShouldBe(("prefixed", 0x2000ul));
    }

    [Fact]
    public void Find_FileThatGrows_KnowsWhatWasAddedAndNoHalfLine()
    {
        using var map = Write("1000 10 first\n2000 10 sec");
        map.Find(0x2000).ShouldBeNull();

        File.AppendAllText(_path, "ond\n3000 10 third\n");

        map.Find(0x2000).ShouldBe(("second", 0x2000ul));
        map.Find(0x3000).ShouldBe(("third", 0x3000ul));
        map.Find(0x1000).ShouldBe(("first", 0x1000ul));
    }

    [Fact]
    public void Find_CodeCompiledAnew_IsTheLaterName()
    {
        using var map = Write("1000 100 old\n1000 100 new\n2000 100 whole\n2080 10 inside\n");

        map.Find(0x1000).ShouldBe(("new", 0x1000ul));
        map.Find(0x2088).ShouldBe(("inside", 0x2080ul));
        map.Find(0x2040).ShouldBe(("whole", 0x2000ul));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n\n")]
    [InlineData("1000\n")]
    [InlineData("1000 10\n")]
    [InlineData("zzzz 10 name\n")]
    [InlineData("1000 0 name\n")]
    [InlineData("1000 fffffffffffffffff name\n")]
    [InlineData("\0\x01\x02 \xff \xfe\n")]
    public void Find_NoSuchLine_IsNothing(string text)
    {
        using var map = Write(text);

        map.Find(0x1000).ShouldBeNull();
    }

    [Fact]
    public void Find_OneLineOfAGigabyte_IsBounded()
    {
        using (var file = File.OpenWrite(_path))
            file.SetLength(1L << 30);
        using var map = new JitMap(File.OpenRead(_path));

        map.Find(0x1000).ShouldBeNull();
        map.SizeBytes.ShouldBeLessThan(1 << 16);
    }

    private JitMap Write(string text)
    {
        File.WriteAllText(_path, text);
        return new JitMap(File.OpenRead(_path));
    }
}
