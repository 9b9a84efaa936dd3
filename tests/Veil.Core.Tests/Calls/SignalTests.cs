// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;

namespace Veil.Core.Tests.Calls;

/// <summary>Calls on signals, time and limits as strace 7.2 writes them, from bytes as the kernel gives them.</summary>
public sealed class SignalTests
{
    private const SyscallArch Arch = SyscallArch.X64;

    private static byte[] Words(params ulong[] words)
    {
        byte[] bytes = new byte[8 * words.Length];
        for (int index = 0; index < words.Length; index++)
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8 * index), words[index]);
        return bytes;
    }

    [Fact]
    public void SigAction_OfHandler_HasMaskAndFlags()
    {
        var record = new CallRecord(Arch, "rt_sigaction", 0, 10, 0x1000, 0x2000, 8).With(1, Words(0x4321, 0x14000000, 0x1234, 5))
            .Filled(2, Words(0, 0, 0, 0));
        record.Text.ShouldBe("rt_sigaction(SIGUSR1, {sa_handler=0x4321, sa_mask=[HUP QUIT], sa_flags=SA_RESTORER|SA_RESTART, sa_restorer=0x1234}, "
            + "{sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, 8) = 0");
        record.Json.ShouldBe("{\"sig\":\"SIGUSR1\",\"act\":{\"sa_handler\":\"0x4321\",\"sa_mask\":[\"HUP\",\"QUIT\"],\"sa_flags\":\"SA_RESTORER|SA_RESTART\","
            + "\"sa_restorer\":\"0x1234\"},\"oact\":{\"sa_handler\":\"SIG_DFL\",\"sa_mask\":[],\"sa_flags\":\"0\"},\"sigsetsize\":8}");
    }

    [Fact]
    public void SigAction_Of32Bits_HasItsLayout()
    {
        byte[] action = new byte[20];
        action[0] = 1;
        action[12] = 1;
        new CallRecord(SyscallArch.I386, "rt_sigaction", 0, 2, 0x1000, 0, 8).With(1, action).Text
            .ShouldBe("rt_sigaction(SIGINT, {sa_handler=SIG_IGN, sa_mask=[HUP], sa_flags=0}, NULL, 8) = 0");
    }

    [Fact]
    public void SigProcMask_OfOtherSize_HasAddresses() =>
        new CallRecord(Arch, "rt_sigprocmask", -22, 0, 0x1000, 0x2000, 16).With(1, new byte[8]).Text
            .ShouldBe("rt_sigprocmask(SIG_BLOCK, 0x1000, 0x2000, 16) = -1 EINVAL (Invalid argument)");

    [Fact]
    public void SigTimedWait_HasInfoAndSignal()
    {
        byte[] info = new byte[64];
        info[0] = 10;
        info[16] = 77;
        new CallRecord(Arch, "rt_sigtimedwait", 10, 0x1000, 0x2000, 0, 8).With(0, Words(0x200)).Filled(1, info).Text
            .ShouldBe("rt_sigtimedwait([USR1], {si_signo=SIGUSR1, si_code=SI_USER, si_pid=77, si_uid=0}, NULL, 8) = 10 (SIGUSR1)");
    }

    [Fact]
    public void TimerCreate_OfSignal_HasItsEvent() =>
        new CallRecord(Arch, "timer_create", 0, 1, 0x1000, 0x2000).With(1, Words(5, 10, 0, 0)).Filled(2, [7, 0, 0, 0]).Text
            .ShouldBe("timer_create(CLOCK_MONOTONIC, {sigev_value={sival_int=5, sival_ptr=0x5}, sigev_signo=SIGUSR1, sigev_notify=SIGEV_SIGNAL}, [7]) = 0");

    [Fact]
    public void ClockGetTime_Of32Bits_HasShortTimes()
    {
        new CallRecord(SyscallArch.I386, "clock_gettime", 0, 0, 0x1000).Filled(1, [5, 0, 0, 0, 6, 0, 0, 0]).Text
            .ShouldBe("clock_gettime(CLOCK_REALTIME, {tv_sec=5, tv_nsec=6}) = 0");
        new CallRecord(SyscallArch.I386, "clock_gettime64", 0, 0, 0x1000).Filled(1, Words(5, 6)).Text
            .ShouldBe("clock_gettime64(CLOCK_REALTIME, {tv_sec=5, tv_nsec=6}) = 0");
    }

    [Fact]
    public void Prlimit_OfStack_CountsKibibytes()
    {
        var record = new CallRecord(Arch, "prlimit64", 0, 0, 3, 0, 0x1000).Filled(3, Words(8388608, ulong.MaxValue));
        record.Text.ShouldBe("prlimit64(0, RLIMIT_STACK, NULL, {rlim_cur=8192*1024, rlim_max=RLIM64_INFINITY}) = 0");
        record.Json.ShouldBe("{\"pid\":0,\"resource\":\"RLIMIT_STACK\",\"new_rlim\":null,\"old_rlim\":{\"rlim_cur\":8388608,\"rlim_max\":\"RLIM64_INFINITY\"}}");
    }

    [Fact]
    public void GetRandom_IsHexadecimal() =>
        new CallRecord(Arch, "getrandom", 2, 0x1000, 2, 1).Filled(0, [1, 0xab]).Text.ShouldBe("getrandom(\"\\x01\\xab\", 2, GRND_NONBLOCK) = 2");

    [Fact]
    public void GetAffinity_ListsProcessors() =>
        new CallRecord(Arch, "sched_getaffinity", 8, 0, 8, 0x1000).Filled(2, Words(0x103)).Text.ShouldBe("sched_getaffinity(0, 8, [0 1 8]) = 8");

    [Fact]
    public void CapGet_OfTwoStructs_JoinsThem()
    {
        byte[] data = new byte[24];
        data[0] = 2;
        data[12] = 0x40;
        new CallRecord(Arch, "capget", 0, 0x1000, 0x2000).With(0, [0x22, 5, 8, 0x20, 0, 0, 0, 0]).Filled(1, data).Text
            .ShouldBe("capget({version=_LINUX_CAPABILITY_VERSION_3, pid=0}, {effective=1<<CAP_DAC_OVERRIDE|1<<CAP_PERFMON, permitted=0, inheritable=0}) = 0");
    }

    [Fact]
    public void SemOp_OfOne_HasOne() =>
        new CallRecord(Arch, "semop", 0, 3, 0x1000, 1).With(1, [0, 0, 0xff, 0xff, 0, 8]).Text
            .ShouldBe("semop(3, [{sem_num=0, sem_op=-1, sem_flg=IPC_NOWAIT}], 1) = 0");

    [Fact]
    public void Bpf_MapCreate_NamesTheMap()
    {
        byte[] attributes = new byte[48];
        attributes[0] = 2;
        attributes[4] = 4;
        attributes[8] = 8;
        attributes[12] = 1;
        "veil"u8.CopyTo(attributes.AsSpan(28));
        new CallRecord(Arch, "bpf", 3, 0, 0x1000, 48, 0, 0).With(1, attributes).Text
            .ShouldBe("bpf(BPF_MAP_CREATE, {map_type=BPF_MAP_TYPE_ARRAY, key_size=4, value_size=8, max_entries=1, map_flags=0, inner_map_fd=0, "
                + "map_name=\"veil\", map_ifindex=0}, 48) = 3");
    }
}
