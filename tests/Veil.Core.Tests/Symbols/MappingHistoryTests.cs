// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Symbols;

namespace Veil.Core.Tests.Symbols;

/// <summary>What a process had mapped at a time.</summary>
public sealed class MappingHistoryTests
{
    private const int Parent = 10;
    private const int Child = 20;

    private readonly MappingHistory _history = new();

    [Fact]
    public void Find_BeforeAndAfterAnExec_IsTheProgramOfThatTime()
    {
        Exec(Parent, 100);
        Map(Parent, 110, 0x1000, 0x2000, "/old");
        Exec(Parent, 200);
        Map(Parent, 210, 0x1000, 0x2000, "/new");

        Find(Parent, 0x1800, 150).ShouldBe("/old");
        Find(Parent, 0x1800, 250).ShouldBe("/new");
        Find(Parent, 0x1800, 205).ShouldBeNull();
    }

    [Fact]
    public void Find_Child_HasWhatItsParentHadAtTheFork()
    {
        Exec(Parent, 100);
        Map(Parent, 110, 0x1000, 0x2000, "/program");
        Fork(120);
        Map(Parent, 130, 0x5000, 0x6000, "/parents");
        Map(Child, 140, 0x5000, 0x6000, "/childs");

        Find(Child, 0x1800, 150).ShouldBe("/program");
        Find(Child, 0x5800, 150).ShouldBe("/childs");
        Find(Child, 0x5800, 135).ShouldBeNull();
        Find(Parent, 0x5800, 150).ShouldBe("/parents");
    }

    [Fact]
    public void Find_PartCoveredByALaterMapping_IsEachPartsOwn()
    {
        Exec(Parent, 100);
        Map(Parent, 110, 0x1000, 0x5000, "/whole");
        Map(Parent, 120, 0x2000, 0x3000, "/middle");

        Find(Parent, 0x1800, 130).ShouldBe("/whole");
        Find(Parent, 0x2800, 130).ShouldBe("/middle");
        Find(Parent, 0x2800, 115).ShouldBe("/whole");
        var behind = _history.Find(Parent, 0x3800, 130).ShouldNotBeNull();
        (behind.File.Name, 0x3800 - behind.Start + behind.Offset).ShouldBe(("/whole", 0x2800ul));
    }

    [Fact]
    public void Find_AfterALoss_IsUnknownUntilItIsReadAgain()
    {
        Exec(Parent, 100);
        Map(Parent, 110, 0x1000, 0x2000, "/program");
        _history.Apply(new(MapRecordKind.Lost, 200, 0, Offset: 7));

        Find(Parent, 0x1800, 150).ShouldBe("/program");
        Find(Parent, 0x1800, 250).ShouldBeNull();
        _history.Needs(Parent, 250).ShouldBeTrue();
        _history.Lost.ShouldBe(7);

        _history.Learn(Parent, 300, [new MapsLine(0x1000, 0x2000, 0, default, "/since")]);

        Find(Parent, 0x1800, 350).ShouldBe("/since");
        Find(Parent, 0x1800, 250).ShouldBeNull();
    }

    [Fact]
    public void Learn_ProcessThatMappedSince_KeepsWhatItMappedAndSaysNothingOfBefore()
    {
        Map(Parent, 110, 0x1000, 0x2000, "/later");

        _history.Learn(
            Parent, 300, [new MapsLine(0x1000, 0x2000, 0, default, "/later"), new MapsLine(0x8000, 0x9000, 0, default, "/first")]);

        Find(Parent, 0x8800, 50).ShouldBe("/first");
        Find(Parent, 0x1800, 150).ShouldBe("/later");
        Find(Parent, 0x1800, 50).ShouldBeNull();
    }

    [Fact]
    public void Find_NumberGivenAgain_IsTheProcessOfThatTime()
    {
        Exec(Child, 100);
        Map(Child, 110, 0x1000, 0x2000, "/first");
        _history.Apply(new(MapRecordKind.Exit, 150, Child));
        Exec(Parent, 160);
        Map(Parent, 170, 0x1000, 0x2000, "/parent");
        Fork(200);

        Find(Child, 0x1800, 140).ShouldBe("/first");
        Find(Child, 0x1800, 210).ShouldBe("/parent");
        _history.Family(Child).ShouldBe([Child, Parent]);
    }

    [Fact]
    public void Apply_MoreProcessesThanAreKept_ForgetsTheFirstThatEnded()
    {
        for (int pid = 1; pid <= MappingHistory.ProcessesMax + 1; pid++)
        {
            Exec(pid, pid);
            Map(pid, pid, 0x1000, 0x2000, "/program");
            _history.Apply(new(MapRecordKind.Exit, pid, pid));
        }

        _history.Count.ShouldBeLessThanOrEqualTo(MappingHistory.ProcessesMax);
        Find(1, 0x1800, long.MaxValue).ShouldBeNull();
        Find(MappingHistory.ProcessesMax + 1, 0x1800, long.MaxValue).ShouldBe("/program");
    }

    private string? Find(int pid, ulong address, long time) => _history.Find(pid, address, time)?.File.Name;

    private void Exec(int pid, long time) => _history.Apply(new(MapRecordKind.Exec, time, pid));

    private void Fork(long time) => _history.Apply(new(MapRecordKind.Fork, time, Child, Parent));

    private void Map(int pid, long time, ulong start, ulong end, string path) =>
        _history.Apply(new(MapRecordKind.Map, time, pid, Start: start, End: end, Path: path));
}
