// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Bpf;

namespace Veil.Core.Tests.Kernel;

public sealed class ErrnoTests
{
    private const int MaxErrno = 4095;

    [Theory]
    [InlineData(1, "EPERM")]
    [InlineData(2, "ENOENT")]
    [InlineData(4, "EINTR")]
    [InlineData(133, "EHWPOISON")]
    [InlineData(134, "EFTYPE")]
    [InlineData(512, "ERESTARTSYS")]
    [InlineData(513, "ERESTARTNOINTR")]
    [InlineData(514, "ERESTARTNOHAND")]
    [InlineData(515, "ENOIOCTLCMD")]
    [InlineData(516, "ERESTART_RESTARTBLOCK")]
    [InlineData(517, "EPROBE_DEFER")]
    [InlineData(518, "EOPENSTALE")]
    [InlineData(519, "ENOPARAM")]
    [InlineData(521, "EBADHANDLE")]
    [InlineData(524, "ENOTSUPP")]
    [InlineData(529, "EIOCBQUEUED")]
    [InlineData(531, "ENOGRACE")]
    public void NameUtf8_KnownNumber_IsTheKernelsNameBothWays(int errno, string name)
    {
        NameOf(errno).ShouldBe(name);
        Errno.TryGetNumber(name, out int back).ShouldBeTrue();
        back.ShouldBe(errno);
    }

    [Theory]
    [InlineData("EWOULDBLOCK", 11, "EAGAIN")]
    [InlineData("EDEADLOCK", 35, "EDEADLK")]
    [InlineData("ENOTSUP", 95, "EOPNOTSUPP")]
    [InlineData("EFSCORRUPTED", 117, "EUCLEAN")]
    [InlineData("EFSBADCRC", 74, "EBADMSG")]
    public void TryGetNumber_Alias_HasTheNumberAndLeavesTheName(string alias, int errno, string name)
    {
        Errno.TryGetNumber(alias, out int number).ShouldBeTrue();
        number.ShouldBe(errno);
        NameOf(errno).ShouldBe(name);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(41)]
    [InlineData(58)]
    [InlineData(135)]
    [InlineData(511)]
    [InlineData(520)]
    [InlineData(532)]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    public void NameUtf8_UnknownNumber_IsEmpty(int errno) => Errno.NameUtf8(errno).IsEmpty.ShouldBeTrue();

    [Theory]
    [InlineData("")]
    [InlineData("eperm")]
    [InlineData("EPERMS")]
    public void TryGetNumber_NoSuchName_IsFalse(string name)
    {
        Errno.TryGetNumber(name, out int errno).ShouldBeFalse();
        errno.ShouldBe(-1);
    }

    [Fact]
    public void Names_All_ComeBackAndAreUnique()
    {
        string[] names = [.. Enumerable.Range(0, MaxErrno).Select(NameOf).Where(name => name.Length > 0)];

        names.Length.ShouldBe(151);
        names.ShouldBe(Errno.Names);
        names.ShouldBeUnique();
        names.ShouldAllBe(name => HasNumber(name));
    }

    // 41 and 58 were the aliases EWOULDBLOCK and EDEADLOCK once; nothing else is missing.
    [Fact]
    public void NameUtf8_UserRange_HasTwoGaps() =>
        Enumerable.Range(1, 134).Where(errno => Errno.NameUtf8(errno).IsEmpty).ShouldBe([41, 58]);

    [HeaderTheory]
    [InlineData("asm-generic/errno-base.h", 34)]
    [InlineData("asm-generic/errno.h", 90)]
    public void NameUtf8_EveryErrorOfTheMachinesHeaders_IsTheSame(string header, int least)
    {
        IReadOnlyList<(string Name, int Number)> errors = MachineHeaders.Read(header, "E");

        errors.Count.ShouldBeGreaterThanOrEqualTo(least);
        foreach ((string name, int number) in errors)
            NameOf(number).ShouldBe("E" + name);
    }

    private static bool HasNumber(string name) => Errno.TryGetNumber(name, out _);

    private static string NameOf(int errno) => Encoding.UTF8.GetString(Errno.NameUtf8(errno));
}
