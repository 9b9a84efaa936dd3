// SPDX-License-Identifier: GPL-3.0-only
using FsCheck.Xunit;

namespace Veil.Core.Tests.Text;

public sealed class NearestNameTests
{
    private static readonly string[] s_modules = ["syscall", "files", "network", "scheduler", "memory", "uprobe"];

    private static readonly IReadOnlyList<string> s_syscalls = [.. SyscallTable.For(SyscallArch.X64).Names];

    [Theory]
    [InlineData("OPENAT", "openat", "openat2")]
    [InlineData("opneat", "openat")]
    [InlineData("opeant", "openat")]
    [InlineData("opnat", "openat")]
    [InlineData("conect", "connect")]
    [InlineData("acept", "accept")]
    [InlineData("raed", "read")]
    [InlineData("clock-gettime", "clock_gettime", "clock_gettime64")]
    [InlineData("epoll_wiat", "epoll_wait")]
    [InlineData("futx", "futex")]
    public void Find_MisspeltSyscall_SuggestsTheOneMeantFirst(string given, string meant, string? notFirst = null)
    {
        IReadOnlyList<string> found = NearestName.Find(given, s_syscalls);

        found[0].ShouldBe(meant);
        found[0].ShouldNotBe(notFirst);
    }

    [Theory]
    [InlineData("net", "network")]
    [InlineData("sched", "scheduler")]
    [InlineData("file", "files")]
    [InlineData("syscalls", "syscall")]
    [InlineData("shedule", "scheduler")]
    [InlineData("Memory", "memory")]
    [InlineData("probe", "uprobe")]
    public void Find_MisspeltModule_SuggestsThatModuleAlone(string given, string meant) =>
        NearestName.Find(given, s_modules).ShouldBe([meant]);

    [Theory]
    [InlineData("")]
    [InlineData("tcp")]
    [InlineData("x")]
    [InlineData("completely-different")]
    [InlineData("\u0000\uffff\ud800")]
    public void Find_NothingNear_IsEmpty(string given) => NearestName.Find(given, s_modules).ShouldBeEmpty();

    [Fact]
    public void Find_PartOfManyNames_PrefersOneEditThenPrefixThenSubstring()
    {
        string[] candidates = ["statfs", "newfstatat", "statx", "fstat", "read", "stats_of_all"];

        NearestName.Find("stat", candidates, max: 10).ShouldBe(["fstat", "statx", "statfs", "stats_of_all", "newfstatat"]);
    }

    [Fact]
    public void Find_MoreThanMax_ReturnsTheBestOnes() =>
        NearestName.Find("epoll_", s_syscalls, max: 2).ShouldBe(["epoll_ctl", "epoll_wait"]);

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void Find_NoneWanted_IsEmpty(int max) => NearestName.Find("openat", s_syscalls, max).ShouldBeEmpty();

    [Fact]
    public void Find_CandidateTwice_IsSuggestedOnce() => NearestName.Find("pdi", ["pid", "uid", "pid"]).ShouldBe(["pid"]);

    [Fact]
    public void Find_WhatWasTyped_IsNotSuggested() => NearestName.Find("pid", ["pid", "uid"]).ShouldBe(["uid"]);

    [Fact]
    public void Find_TiedCandidates_AreInOrdinalOrder() =>
        NearestName.Find("zid", ["uid", "pid", "gid"]).ShouldBe(["gid", "pid", "uid"]);

    [Fact]
    public void Find_VeryLongInput_IsEmpty() => NearestName.Find(new string('a', 1_000_000), s_syscalls).ShouldBeEmpty();

    [Property]
    public void Find_AnyInput_IsASubsetWithinMax(string? given, string?[] candidates)
    {
        string[] names = [.. candidates.Select(candidate => candidate ?? "")];

        IReadOnlyList<string> found = NearestName.Find(given ?? "", names, max: 3);

        found.Count.ShouldBeLessThanOrEqualTo(3);
        found.ShouldBeSubsetOf(names);
        found.ShouldBeUnique();
    }

    [Property]
    public void Find_AnyNameWithTwoLettersSwapped_SuggestsIt(int index, int position)
    {
        string name = s_syscalls[(int)((uint)index % (uint)s_syscalls.Count)];
        int at = (int)((uint)position % (uint)(name.Length - 1));
        char[] letters = name.ToCharArray();
        (letters[at], letters[at + 1]) = (letters[at + 1], letters[at]);

        // Two of the same make no slip.
        if (letters[at] != letters[at + 1])
            NearestName.Find(new string(letters), s_syscalls, max: 10).ShouldContain(name);
    }

    /// <summary>Names of files, users and containers are anybody's.</summary>
    [Fact]
    public void Hint_NameThatBreaksALine_IsEscaped() =>
        NearestName.Hint("evil", ["evil\nveil: lost 5 events\u001b[31m"])
            .ShouldBe("; did you mean 'evil\\nveil: lost 5 events\\x1b[31m'?");

    [Fact]
    public void Hint_NoNameNear_IsEmpty() => NearestName.Hint("files", ["network"]).ShouldBe("");

    [Fact]
    public void Hint_Several_AreJoined() => NearestName.Hint("we", ["web1", "web2"], max: 3).ShouldBe("; did you mean 'web1' or 'web2'?");
}
