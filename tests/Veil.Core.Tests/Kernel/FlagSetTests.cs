// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Core.Tests.Kernel;

public sealed class FlagSetTests
{
    // As strace writes them.
    [Fact]
    public void Format_FlagsOfOpen_AreAsStraceWritesThem()
    {
        var open = FlagSets.OpenOf(SyscallArch.X64);

        Text(open, 0).ShouldBe("O_RDONLY");
        Text(open, 0x90800).ShouldBe("O_RDONLY|O_NONBLOCK|O_CLOEXEC|O_DIRECTORY");
        Text(open, 0x241).ShouldBe("O_WRONLY|O_CREAT|O_TRUNC");
        Text(open, 0x101002).ShouldBe("O_RDWR|O_SYNC");
        Text(open, 0x1002).ShouldBe("O_RDWR|O_DSYNC");
        Text(open, 0x410002).ShouldBe("O_RDWR|O_TMPFILE");
        Text(open, 3).ShouldBe("O_ACCMODE");
        Text(open, 0x4000_0001).ShouldBe("O_WRONLY|0x40000000");
    }

    [Fact]
    public void Format_OpenOnArm64_HasItsOwnValues()
    {
        var open = FlagSets.OpenOf(SyscallArch.Arm64);

        Text(open, 0x4000).ShouldBe("O_RDONLY|O_DIRECTORY");
        Text(open, 0x8000).ShouldBe("O_RDONLY|O_NOFOLLOW");
        Text(open, 0x10000).ShouldBe("O_RDONLY|O_DIRECT");
        Text(open, 0x20000).ShouldBe("O_RDONLY|O_LARGEFILE");
    }

    [Fact]
    public void Format_FlagsBesideAField_NameTheFieldFirst()
    {
        Text(FlagSets.MmapFlagsOf(SyscallArch.X64), 0x22).ShouldBe("MAP_PRIVATE|MAP_ANONYMOUS");
        Text(FlagSets.MmapFlagsOf(SyscallArch.X64), 0x41).ShouldBe("MAP_SHARED|MAP_32BIT");
        Text(FlagSets.MmapFlagsOf(SyscallArch.Arm64), 0x41).ShouldBe("MAP_SHARED|0x40");
        Text(FlagSets.SocketType, 0x80801).ShouldBe("SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK");
        Text(FlagSets.Futex, 0x189).ShouldBe("FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME");
        Text(FlagSets.MmapFlagsOf(SyscallArch.X64), 0x1f).ShouldBe("0xf|MAP_FIXED");
        Text(FlagSets.MmapFlagsOf(SyscallArch.X64), 0).ShouldBe("MAP_FILE");
        Text(FlagSets.SchedPolicyFlags, 0x4000_0001).ShouldBe("SCHED_FIFO|SCHED_RESET_ON_FORK");
    }

    [Fact]
    public void Format_NoFlag_IsItsNameOrZero()
    {
        Text(FlagSets.MmapProtOf(SyscallArch.X64), 0).ShouldBe("PROT_NONE");
        Text(FlagSets.AccessMode, 0).ShouldBe("F_OK");
        Text(FlagSets.MsgFlags, 0).ShouldBe("0");
    }

    [Fact]
    public void Format_NothingKnown_IsHexadecimalAndNoName()
    {
        byte[] memory = new byte[64];
        var line = new LineWriter(memory);

        FlagSets.MsgFlags.Format(ref line, 0x0080_0000).ShouldBe(0);

        Encoding.UTF8.GetString(line.Written).ShouldBe("0x800000");
        Encoding.UTF8.GetString(FlagSets.MsgFlags.UnknownName).ShouldBe("MSG_???");
    }

    [Fact]
    public void Format_EveryBit_EndsWithTheUnknownOnes() =>
        Text(FlagSets.EventfdFlags, 0xffff_ffff).ShouldBe("EFD_SEMAPHORE|EFD_CLOEXEC|EFD_NONBLOCK|0xfff7f7fe");

    [Theory]
    [InlineData(1, "SIGHUP")]
    [InlineData(17, "SIGCHLD")]
    [InlineData(29, "SIGIO")]
    [InlineData(31, "SIGSYS")]
    [InlineData(32, "SIGRTMIN")]
    [InlineData(33, "SIGRT_1")]
    [InlineData(64, "SIGRT_32")]
    [InlineData(0, "")]
    [InlineData(65, "")]
    public void NameOf_Signal_IsAsStraceSpellsIt(uint signal, string name) => Name(FlagSets.Signals, signal).ShouldBe(name);

    [Fact]
    public void NameOf_Enumerations_AreTheHeadersNames()
    {
        Name(FlagSets.AtFd, unchecked((uint)-100)).ShouldBe("AT_FDCWD");
        Name(FlagSets.SocketDomain, 1).ShouldBe("AF_UNIX");
        Name(FlagSets.SocketDomain, 16).ShouldBe("AF_NETLINK");
        Name(FlagSets.MadviseAdvice, 14).ShouldBe("MADV_HUGEPAGE");
        Name(FlagSets.SocketLevels, 1).ShouldBe("SOL_SOCKET");
        Name(FlagSets.SocketOptions, 2).ShouldBe("SO_REUSEADDR");
        Name(FlagSets.TcpOptions, 1).ShouldBe("TCP_NODELAY");
        Name(FlagSets.RusageWho, uint.MaxValue).ShouldBe("RUSAGE_CHILDREN");
        Name(FlagSets.FcntlCommands, 1030).ShouldBe("F_DUPFD_CLOEXEC");
        Name(FlagSets.PrctlOptions, 38).ShouldBe("PR_SET_NO_NEW_PRIVS");
        Name(FlagSets.Capabilities, 21).ShouldBe("CAP_SYS_ADMIN");
        Name(FlagSets.BpfCommands, 5).ShouldBe("BPF_PROG_LOAD");
        Name(FlagSets.UringOps, 18).ShouldBe("IORING_OP_OPENAT");
        Name(FlagSets.StatfsTypes, 0xef53).ShouldBe("EXT2_SUPER_MAGIC");
        Name(FlagSets.StatfsTypes, 0x0102_1994).ShouldBe("TMPFS_MAGIC");
        Name(FlagSets.MadviseAdvice, 999).ShouldBe("");
    }

    [Theory]
    [InlineData(0x5401, "TCGETS")]
    [InlineData(0x5413, "TIOCGWINSZ")]
    [InlineData(0x541b, "FIONREAD")]
    [InlineData(0x8927, "SIOCGIFHWADDR")]
    [InlineData(0x4004_9409, "FICLONE")]
    [InlineData(0x8008_1272, "BLKGETSIZE64")]
    [InlineData(0x8004_4501, "EVIOCGVERSION")]
    [InlineData(0xae80, "KVM_RUN")]
    [InlineData(0x2400, "PERF_EVENT_IOC_ENABLE")]
    public void NameOf_IoctlRequest_IsTheHeadersName(uint request, string name) =>
        Name(FlagSets.IoctlRequests, request).ShouldBe(name);

    [OptimizedFact]
    public void Format_ManyValues_AllocatesNothing()
    {
        byte[] memory = new byte[256];
        _ = Sum(memory);
        long before = GC.GetAllocatedBytesForCurrentThread();
        int names = Sum(memory);
        long after = GC.GetAllocatedBytesForCurrentThread();

        names.ShouldBeGreaterThan(0);
        (after - before).ShouldBe(0);

        static int Sum(byte[] memory)
        {
            int names = 0;
            for (uint value = 0; value < 1000; value++)
            {
                var line = new LineWriter(memory);
                names += FlagSets.Open.Format(ref line, value) + FlagSets.IoctlRequests.Format(ref line, 0x5400 + value);
            }

            return names;
        }
    }

    private static string Name(FlagSet set, ulong value) => Encoding.UTF8.GetString(set.NameOf(value));

    private static string Text(FlagSet set, ulong value)
    {
        byte[] memory = new byte[1024];
        var line = new LineWriter(memory);
        set.Format(ref line, value);
        return Encoding.UTF8.GetString(line.Written);
    }
}
