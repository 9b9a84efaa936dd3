// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core;
using Veil.Core.Filters;
using Veil.Modules.Syscall;

namespace Veil.Modules.Tests.Syscall;

public sealed class SyscallDimensionTests
{
    [Fact]
    public void Parse_SyscallName_IsItsNumberInEveryTableOfTheMachine() =>
        FilterExpression.Parse(new SyscallDimension(), ["openat"]).Bits.Keys.Select(static key => (ulong)key.Bits).ShouldBe(
            [257UL, (1UL << 32) | 295, (2UL << 32) | 0x40000000 | 257], ignoreOrder: true);

    [Fact]
    public void Parse_SyscallNumber_IsThatNumberInEveryTable() =>
        FilterExpression.Parse(new SyscallDimension(), ["3"]).Bits.Keys.Select(static key => (ulong)key.Bits).ShouldBe(
            [3UL, (1UL << 32) | 3, (2UL << 32) | 0x40000003], ignoreOrder: true);

    [Fact]
    public void Parse_SyscallClass_IsItsCalls()
    {
        var bits = FilterExpression.Parse(new SyscallDimension(), ["%clock", "!%%statfs"]).Bits;
        bits.Where(static key => key.Value == FilterBits.Allow).Select(static key => key.Key.Text).Distinct().ShouldBe(
            [
                "adjtimex", "clock_adjtime", "clock_adjtime64", "clock_getres", "clock_getres_time64", "clock_gettime", "clock_gettime64",
                "clock_settime", "clock_settime64", "gettimeofday", "settimeofday", "time",
            ],
            ignoreOrder: true);
        bits.Where(static key => key.Value == FilterBits.Deny).Select(static key => key.Key.Text).Distinct().ShouldBe(
            ["fstatfs", "fstatfs64", "statfs", "statfs64", "ustat"], ignoreOrder: true);
        FilterExpression.Parse(new SyscallDimension(), ["%net"]).Bits.Keys.ShouldContain(static key => key.Text == "socketcall");
    }

    [Theory]
    [InlineData("OPENAT", "--syscall: unknown system call 'OPENAT'; did you mean 'openat' or 'openat2' or 'open'?")]
    [InlineData("99999", "--syscall: '99999' is out of range (a system call's name, its number from 0 to 1023, or a class such as %file)")]
    [InlineData("-1", "--syscall: '-1' is out of range (a system call's name, its number from 0 to 1023, or a class such as %file)")]
    public void Parse_WrongSyscall_SaysWhatAndWhy(string value, string message) =>
        Should.Throw<UsageException>(() => FilterExpression.Parse(new SyscallDimension(), [value])).Message
        .ShouldBe(message);
}
