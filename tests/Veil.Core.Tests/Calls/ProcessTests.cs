// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Calls;

namespace Veil.Core.Tests.Calls;

/// <summary>Calls on processes and threads as strace 7.2 writes them, from bytes as the kernel gives them.</summary>
public sealed class ProcessTests
{
    private const SyscallArch Arch = SyscallArch.X64;

    [Theory]
    [InlineData(0x300, "{WIFEXITED(s) && WEXITSTATUS(s) == 3}", "{\"exited\":3}")]
    [InlineData(0x9, "{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}", "{\"signaled\":\"SIGKILL\"}")]
    [InlineData(0x8b, "{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}", "{\"signaled\":\"SIGSEGV\",\"core\":1}")]
    [InlineData(0x137f, "{WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP}", "{\"stopped\":\"SIGSTOP\"}")]
    [InlineData(0xffff, "{WIFCONTINUED(s)}", "{\"continued\":1}")]
    public void Wait_OfChild_SaysHowItEnded(int status, string text, string json)
    {
        byte[] word = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(word, status);
        var record = new CallRecord(Arch, "wait4", 77, unchecked((ulong)-1), 0x1000, 0, 0).Filled(1, word);
        record.Text.ShouldBe($"wait4(-1, [{text}], 0, NULL) = 77");
        record.Json.ShouldBe($"{{\"upid\":-1,\"stat_addr\":[{json}],\"options\":\"0\",\"ru\":null}}");
    }

    [Fact]
    public void Wait_WithNothingToTell_HasAddresses() =>
        new CallRecord(Arch, "wait4", 0, 77, 0x1000, 1, 0x2000).Filled(1, new byte[4]).Filled(3, new byte[32]).Text
            .ShouldBe("wait4(77, 0x1000, WNOHANG, 0x2000) = 0");

    [Fact]
    public void Clone_OfThread_HasWhatItsFlagsAskFor()
    {
        byte[] tid = [0x39, 0x30, 0, 0];
        var record = new CallRecord(Arch, "clone", 12345, 0x3d0f00, 0x7000, 0x1000, 0x2000, 0x3000).Filled(2, tid);
        record.Text.ShouldBe("clone(child_stack=0x7000, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|"
            + "CLONE_SYSVSEM|CLONE_SETTLS|"
            + "CLONE_PARENT_SETTID|CLONE_CHILD_CLEARTID, parent_tid=[12345], tls=0x3000, child_tidptr=0x2000) = 12345");
        record.Json.ShouldStartWith("{\"clone_flags\":\"CLONE_VM|");
        new CallRecord(Arch, "clone", 12345, 0x11, 0, 0, 0, 0).Text.ShouldBe("clone(child_stack=NULL, flags=SIGCHLD) = 12345");
    }

    [Fact]
    public void Clone3_OfShortStruct_IsAnAddress() =>
        new CallRecord(Arch, "clone3", -22, 0x1000, 8).With(0, new byte[8]).Text.ShouldBe("clone3(0x1000, 8) = -1 EINVAL (Invalid "
            + "argument)");

    [Fact]
    public void Execve_ThatFailed_HasArgumentsAndTheirNumber()
    {
        byte[] number = new byte[8];
        number[0] = 1;
        new CallRecord(Arch, "execve", -2, 0x1000, 0x2000, 0x3000).With(0, "/none"u8).With(1, "a \"b\""u8).With(1, "c"u8, index: 1)
            .With(1, default, CallChunkMarks.Unread, index: 2).With(2, number, kind: CallChunkKind.Number).Text
            .ShouldBe("execve(\"/none\", [\"a \\\"b\\\"\", \"c\", 0x2000], 0x3000 /* 1 var */) = -1 ENOENT (No such file or directory)");
    }

    /// <summary>Who has more variables than are counted has not so many.</summary>
    [Fact]
    public void Execve_VariablesNotCountedToTheEnd_AreSaidToBeMore()
    {
        byte[] number = new byte[8];
        number[1] = 4;
        new CallRecord(Arch, "execve", 0, 0x1000, 0, 0x3000).With(0, "/x"u8)
            .With(2, number, CallChunkMarks.Truncated, CallChunkKind.Number).Text
            .ShouldBe("execve(\"/x\", NULL, 0x3000 /* 1024+ vars */) = 0");
    }

    [Fact]
    public void Execve_WithoutArguments_HasAnEmptyArray() =>
        new CallRecord(Arch, "execve", -2, 0x1000, 0x2000, 0).With(0, "x"u8).Text
            .ShouldBe("execve(\"x\", [], NULL) = -1 ENOENT (No such file or directory)");

    [Theory]
    [InlineData(0x81, "futex(0x1000, FUTEX_WAKE_PRIVATE, 1) = 0")]
    [InlineData(0x80, "futex(0x1000, FUTEX_WAIT_PRIVATE, 1, {tv_sec=1, tv_nsec=2}) = 0")]
    [InlineData(0x189, "futex(0x1000, FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 1, {tv_sec=1, tv_nsec=2}, "
        + "FUTEX_BITSET_MATCH_ANY) = 0")]
    [InlineData(3, "futex(0x1000, FUTEX_REQUEUE, 1, 8192, 0x3000) = 0")]
    [InlineData(7, "futex(0x1000, FUTEX_UNLOCK_PI) = 0")]
    public void Futex_OfOperation_HasItsArguments(ulong operation, string text)
    {
        byte[] time = new byte[16];
        time[0] = 1;
        time[8] = 2;
        new CallRecord(Arch, "futex", 0, 0x1000, operation, 1, 0x2000, 0x3000, 0xffffffff).With(3, time).Text.ShouldBe(text);
    }

    [Fact]
    public void Prctl_OfName_ReadsIt()
    {
        new CallRecord(Arch, "rt_sigreturn", 0, 0x1000).With(0, [2, 0, 0, 0, 0, 0, 0, 0]).Text.ShouldBe("rt_sigreturn({mask=[INT]}) = 0");
        new CallRecord(Arch, "prctl", 0, 15, 0x1000, 0, 0, 0).With(1, "worker"u8).Text.ShouldBe("prctl(PR_SET_NAME, \"worker\") = 0");
        new CallRecord(Arch, "prctl", 0, 16, 0x1000, 0, 0, 0).Filled(1, "worker\0garbage.."u8).Text.ShouldBe("prctl(PR_GET_NAME, "
            + "\"worker\") = 0");
        new CallRecord(Arch, "prctl", 0, 38, 1, 0, 0, 0).Text.ShouldBe("prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) = 0");
        new CallRecord(Arch, "prctl", 1, 3, 1, 2, 3, 4).Text.ShouldBe("prctl(PR_GET_DUMPABLE) = 1 (SUID_DUMP_USER)");
    }

    [Fact]
    public void UnknownCall_HasSixWords() =>
        CallTable.Of(Arch, 999).Spec.Arguments.Count.ShouldBe(6);

    [Fact]
    public void ExitGroup_HasNoResult() =>
        new CallRecord(Arch, "exit_group", CallView.NeverReturned, 3).Text.ShouldBe("exit_group(3) = ?");
}
