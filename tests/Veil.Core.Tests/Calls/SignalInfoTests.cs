// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using Veil.Core.Calls;

namespace Veil.Core.Tests.Calls;

/// <summary>What comes with a signal, as strace 7.2 wrote it for the same bytes.</summary>
public sealed class SignalInfoTests
{
    [Theory]
    [InlineData(10, 0x80, 0, 0, 0, 0UL, "{si_signo=SIGUSR1, si_code=SI_KERNEL}")]
    [InlineData(10, 0x80, 2, 5, 6, 7UL, "{si_signo=SIGUSR1, si_code=SI_KERNEL, si_errno=ENOENT, si_pid=5, si_uid=6, si_int=7, si_ptr=0x7}")]
    [InlineData(10, 77, 0, 0, 0, 0UL, "{si_signo=SIGUSR1, si_code=0x4d}")]
    [InlineData(10, -3, 0, 5, 6, 7UL, "{si_signo=SIGUSR1, si_code=SI_MESGQ, si_pid=5, si_uid=6, si_int=7, si_ptr=0x7}")]
    [InlineData(10, -4, 0, 5, 6, 0UL, "{si_signo=SIGUSR1, si_code=SI_ASYNCIO, si_pid=5, si_uid=6}")]
    [InlineData(10, -5, 0, 5, 6, 9UL, "{si_signo=SIGUSR1, si_code=SI_SIGIO, si_band=25769803781, si_fd=9}")]
    [InlineData(10, -6, 4000, 5, 6, 0UL, "{si_signo=SIGUSR1, si_code=SI_TKILL, si_errno=4000, si_pid=5, si_uid=6}")]
    [InlineData(10, -2, 0, 5, 6, 7UL, "{si_signo=SIGUSR1, si_code=SI_TIMER, si_timerid=0x5, si_overrun=6, si_int=7, si_ptr=0x7}")]
    [InlineData(10, -77, 0, 5, 0, 0UL, "{si_signo=SIGUSR1, si_code=0xffffffb3, si_pid=5, si_uid=0}")]
    [InlineData(30, 0, 0, 5, 6, 7UL, "{si_signo=SIGPWR, si_code=SI_USER, si_pid=5, si_uid=6}")]
    [InlineData(27, 5, 0, 1, 2, 0UL, "{si_signo=SIGPROF, si_code=0x5, si_pid=1, si_uid=2}")]
    [InlineData(35, 0x80, 0, 1, 2, 3UL, "{si_signo=SIGRT_3, si_code=SI_KERNEL, si_pid=1, si_uid=2, si_int=3, si_ptr=0x3}")]
    [InlineData(11, 3, 0, 1, 2, 3UL, "{si_signo=SIGSEGV, si_code=SEGV_BNDERR, si_addr=0x200000001, si_lower=NULL, si_upper=NULL}")]
    [InlineData(11, 4, 0, 1, 2, 3UL, "{si_signo=SIGSEGV, si_code=SEGV_PKUERR, si_addr=0x200000001, si_pkey=0}")]
    [InlineData(11, 99, 0, 1, 2, 3UL, "{si_signo=SIGSEGV, si_code=0x63, si_addr=0x200000001}")]
    [InlineData(7, 4, 0, 1, 2, 3UL, "{si_signo=SIGBUS, si_code=BUS_MCEERR_AR, si_addr=0x200000001, si_addr_lsb=0x3}")]
    [InlineData(7, 2, 0, 1, 2, 3UL, "{si_signo=SIGBUS, si_code=BUS_ADRERR, si_addr=0x200000001}")]
    [InlineData(5, 0x80, 0, 0, 0, 0UL, "{si_signo=SIGTRAP, si_code=SI_KERNEL, si_addr=NULL}")]
    [InlineData(8, 15, 0, 1, 2, 3UL, "{si_signo=SIGFPE, si_code=FPE_CONDTRAP, si_addr=0x200000001}")]
    [InlineData(4, 9, 0, 1, 2, 3UL, "{si_signo=SIGILL, si_code=ILL_BADIADDR, si_addr=0x200000001}")]
    [InlineData(17, 1, 0, 1, 2, 3UL, "{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=1, si_uid=2, si_status=3, si_utime=0, si_stime=0}")]
    [InlineData(
        17, 3, 0, 1, 2, 11UL, "{si_signo=SIGCHLD, si_code=CLD_DUMPED, si_pid=1, si_uid=2, si_status=SIGSEGV, si_utime=0, si_stime=0}")]
    [InlineData(
        17, 4, 0, 1, 2, 133UL, "{si_signo=SIGCHLD, si_code=CLD_TRAPPED, si_pid=1, si_uid=2, si_status=133, si_utime=0, si_stime=0}")]
    [InlineData(17, -1, 0, 5, 6, 7UL, "{si_signo=SIGCHLD, si_code=SI_QUEUE, si_pid=5, si_uid=6, si_int=7, si_ptr=0x7}")]
    [InlineData(29, 1, 0, 1, 2, 3UL, "{si_signo=SIGIO, si_code=POLL_IN, si_band=8589934593, si_fd=3}")]
    [InlineData(29, 0x80, 0, 0, 0, 0UL, "{si_signo=SIGIO, si_code=SI_KERNEL}")]
    [InlineData(
        31, 1, 0, 1, 2, 0xc000003e_00000002UL,
        "{si_signo=SIGSYS, si_code=SYS_SECCOMP, si_call_addr=0x200000001, si_syscall=__NR_open, si_arch=AUDIT_ARCH_X86_64}")]
    [InlineData(
        31, 2, 0, 1, 2, 0xc000003e_00000fffUL,
        "{si_signo=SIGSYS, si_code=SYS_USER_DISPATCH, si_call_addr=0x200000001, si_syscall=4095, si_arch=AUDIT_ARCH_X86_64}")]
    [InlineData(
        31, 1, 0, 1, 2, 0x40000003_00000003UL,
        "{si_signo=SIGSYS, si_code=SYS_SECCOMP, si_call_addr=0x200000001, si_syscall=3 /* read */, si_arch=AUDIT_ARCH_I386}")]
    public void Write_OfASignal_IsWhatStraceWrites(int signal, int code, int error, int pid, int uid, ulong value, string text) =>
        Text(Bytes(signal, code, error, pid, uid, value)).ShouldBe(text);

    [Fact]
    public void Write_OfTimes_AddsSeconds()
    {
        byte[] info = Bytes(17, 1, 0, 8703, 0, 0);
        info[32] = 19;
        info[40] = 3;
        Text(info).ShouldBe(
            "{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=8703, si_uid=0, si_status=0, si_utime=19 /* 0.19 s */, " +
            "si_stime=3 /* 0.03 s */}");
    }

    internal static byte[] Bytes(int signal, int code, int error, int pid, int uid, ulong value)
    {
        byte[] info = new byte[SignalInfo.SizeBytes];
        BinaryPrimitives.WriteInt32LittleEndian(info, signal);
        BinaryPrimitives.WriteInt32LittleEndian(info.AsSpan(4), error);
        BinaryPrimitives.WriteInt32LittleEndian(info.AsSpan(8), code);
        BinaryPrimitives.WriteInt32LittleEndian(info.AsSpan(16), pid);
        BinaryPrimitives.WriteInt32LittleEndian(info.AsSpan(20), uid);
        BinaryPrimitives.WriteUInt64LittleEndian(info.AsSpan(24), value);
        return info;
    }

    private static string Text(byte[] info)
    {
        var writer = new CallWriter(new LineWriter(new byte[1024]), new CallOptions());
        SignalInfo.Write(ref writer, info, 8);
        return Encoding.UTF8.GetString(writer.Line.Written);
    }
}
