// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Core.Tests.Kernel;

public sealed class SyscallTableTests
{
    private const int HighestPossibleNumber = 1024;

    public static TheoryData<SyscallArch> NamedArchs => [SyscallArch.X64, SyscallArch.I386, SyscallArch.X32, SyscallArch.Arm64];

    [Theory]
    [InlineData(SyscallArch.X64, 0, "read")]
    [InlineData(SyscallArch.X64, 16, "ioctl")]
    [InlineData(SyscallArch.X64, 257, "openat")]
    [InlineData(SyscallArch.X64, 334, "rseq")]
    [InlineData(SyscallArch.X64, 336, "uprobe")]
    [InlineData(SyscallArch.X64, 424, "pidfd_send_signal")]
    [InlineData(SyscallArch.X64, 449, "futex_waitv")]
    [InlineData(SyscallArch.X64, 451, "cachestat")]
    [InlineData(SyscallArch.X64, 462, "mseal")]
    [InlineData(SyscallArch.X64, 471, "rseq_slice_yield")]
    [InlineData(SyscallArch.I386, 0, "restart_syscall")]
    [InlineData(SyscallArch.I386, 3, "read")]
    [InlineData(SyscallArch.I386, 295, "openat")]
    [InlineData(SyscallArch.I386, 449, "futex_waitv")]
    [InlineData(SyscallArch.I386, 471, "rseq_slice_yield")]
    [InlineData(SyscallArch.Arm64, 0, "io_setup")]
    [InlineData(SyscallArch.Arm64, 56, "openat")]
    [InlineData(SyscallArch.Arm64, 63, "read")]
    [InlineData(SyscallArch.Arm64, 451, "cachestat")]
    [InlineData(SyscallArch.Arm64, 471, "rseq_slice_yield")]
    [InlineData(SyscallArch.X32, 0x4000_0000, "read")]
    [InlineData(SyscallArch.X32, 0x4000_0000 + 257, "openat")]
    [InlineData(SyscallArch.X32, 0x4000_0000 + 514, "ioctl")]
    [InlineData(SyscallArch.X32, 0x4000_0000 + 520, "execve")]
    [InlineData(SyscallArch.X32, 0x4000_0000 + 547, "pwritev2")]
    public void NameUtf8_KnownNumber_IsTheHeadersNameBothWays(SyscallArch arch, int number, string name)
    {
        var table = SyscallTable.For(arch);

        NameOf(table, number).ShouldBe(name);
        table.TryGetNumber(name, out int back).ShouldBeTrue();
        back.ShouldBe(number);
    }

    [Theory]
    [InlineData(SyscallArch.X64, -1)]
    [InlineData(SyscallArch.X64, 337)]
    [InlineData(SyscallArch.X64, 423)]
    [InlineData(SyscallArch.X64, 472)]
    [InlineData(SyscallArch.X64, 512)]
    [InlineData(SyscallArch.X64, 0x4000_0000)]
    [InlineData(SyscallArch.X64, int.MaxValue)]
    [InlineData(SyscallArch.X64, int.MinValue)]
    [InlineData(SyscallArch.I386, 222)]
    [InlineData(SyscallArch.Arm64, 244)]
    [InlineData(SyscallArch.X32, -1)]
    [InlineData(SyscallArch.X32, 0x4000_0000 + 548)]
    [InlineData(SyscallArch.Arm, 3)]
    public void NameUtf8_UnknownNumber_IsEmpty(SyscallArch arch, int number) =>
        SyscallTable.For(arch).NameUtf8(number).IsEmpty.ShouldBeTrue();

    [Theory]
    [InlineData(520, "execve")]
    [InlineData(257, "openat")]
    public void NameUtf8_X32NumberWithoutTheBit_IsNamedToo(int number, string name) =>
        NameOf(SyscallTable.For(SyscallArch.X32), number).ShouldBe(name);

    // The kernel answers ENOSYS to the 64-bit number of a call that x32 has again above 512.
    [Fact]
    public void NameUtf8_X32NumberOfA64BitOnlyCall_IsEmpty() =>
        SyscallTable.For(SyscallArch.X32).NameUtf8(SyscallTable.X32Bit | 59).IsEmpty.ShouldBeTrue();

    [Theory]
    [InlineData(SyscallArch.X64, "x86_64", 385)]
    [InlineData(SyscallArch.I386, "i386", 461)]
    [InlineData(SyscallArch.X32, "x32", 374)]
    [InlineData(SyscallArch.Arm64, "arm64", 327)]
    [InlineData(SyscallArch.Arm, "arm", 0)]
    public void For_EachArch_HasItsNameAndCount(SyscallArch arch, string archName, int count)
    {
        var table = SyscallTable.For(arch);

        table.Arch.ShouldBe(arch);
        table.ArchName.ShouldBe(archName);
        table.Count.ShouldBe(count);
        table.Names.Count().ShouldBe(count);
    }

    [Fact]
    public void For_NoSuchArch_Throws() => Should.Throw<ArgumentOutOfRangeException>(() => SyscallTable.For((SyscallArch)5));

    [Theory]
    [MemberData(nameof(NamedArchs))]
    public void TryGetNumber_EveryNumberWithAName_ComesBack(SyscallArch arch)
    {
        var table = SyscallTable.For(arch);
        int bit = arch == SyscallArch.X32 ? SyscallTable.X32Bit : 0;
        int named = 0;
        for (int number = bit; number < bit + HighestPossibleNumber; number++)
        {
            string name = NameOf(table, number);
            // Those of socketcall have a number of their own for what is shown.
            if (name.Length == 0 || (arch == SyscallArch.I386 && number > SocketcallTable.NumberOf(0)))
                continue;
            named++;
            table.TryGetNumber(name, out int back).ShouldBeTrue(name);
            back.ShouldBe(number, name);
        }

        named.ShouldBe(table.Count);
    }

    [Theory]
    [MemberData(nameof(NamedArchs))]
    public void Names_EveryName_IsAnIdentifierAndUnique(SyscallArch arch)
    {
        string[] names = [.. SyscallTable.For(arch).Names];

        names.ShouldBeUnique();
        names.ShouldAllBe(name => name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_'));
    }

    [Theory]
    [InlineData("")]
    [InlineData("OPENAT")]
    [InlineData("open at")]
    [InlineData("openat ")]
    [InlineData("sys_openat")]
    [InlineData("openatopenatopenatopenatopenatopenatopenatopenatopenatopenatopenatopenat")]
    [InlineData("ope\u0301nat")]
    [InlineData("\ud800")]
    public void TryGetNumber_NoSuchName_IsFalse(string name)
    {
        SyscallTable.For(SyscallArch.X64).TryGetNumber(name, out int number).ShouldBeFalse();
        number.ShouldBe(-1);
    }

    [Fact]
    public void TryGetNumber_Arm_IsFalse() => SyscallTable.For(SyscallArch.Arm).TryGetNumber("read", out _).ShouldBeFalse();

    [OptimizedFact]
    public void NameUtf8_ManyLookups_AllocatesNothing()
    {
        var table = SyscallTable.For(SyscallArch.X64);
        _ = Sum(table);
        long before = GC.GetAllocatedBytesForCurrentThread();
        int bytes = Sum(table);
        long after = GC.GetAllocatedBytesForCurrentThread();

        bytes.ShouldBeGreaterThan(0);
        (after - before).ShouldBe(0);

        static int Sum(SyscallTable table)
        {
            int bytes = 0;
            for (int number = 0; number < HighestPossibleNumber; number++)
                bytes += table.NameUtf8(number).Length;
            return bytes;
        }
    }

    [HeaderTheory]
    [InlineData(SyscallArch.X64, "x86_64-linux-gnu/asm/unistd_64.h", 350)]
    [InlineData(SyscallArch.I386, "x86_64-linux-gnu/asm/unistd_32.h", 400)]
    [InlineData(SyscallArch.X32, "x86_64-linux-gnu/asm/unistd_x32.h", 340)]
    public void NameUtf8_EveryCallOfTheMachinesHeaders_IsTheSame(SyscallArch arch, string header, int least)
    {
        var table = SyscallTable.For(arch);
        IReadOnlyList<(string Name, int Number)> calls = MachineHeaders.Read(header, "__NR_");

        calls.Count.ShouldBeGreaterThan(least);
        foreach ((string name, int number) in calls)
            NameOf(table, number).ShouldBe(name);
    }

    private static string NameOf(SyscallTable table, int number) => Encoding.UTF8.GetString(table.NameUtf8(number));
}
