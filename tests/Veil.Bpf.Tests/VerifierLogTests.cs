// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf.Tests;

public class VerifierLogTests
{
    private const string Refused = """
        libbpf: prog 'on_open': BPF program load failed: Permission denied
        libbpf: prog 'on_open': -- BEGIN PROG LOAD LOG --
        0: R1=ctx() R10=fp0
        ; return *p; @ t.bpf.c:39
        1: (79) r2 = *(u64 *)(r2 +0)
        R2 invalid mem access 'scalar'
        verification time 71 usec
        stack depth 0
        processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
        -- END PROG LOAD LOG --
        libbpf: prog 'on_open': failed to load: -13
        libbpf: failed to load object 'files'

        """;

    [Fact]
    public void TryExtract_Refused_FindsProgramAndLog()
    {
        VerifierLog.TryExtract(Refused, out string? program, out string? log).ShouldBeTrue();

        program.ShouldBe("on_open");
        log.ShouldStartWith("0: R1=ctx() R10=fp0\n");
        log.ShouldEndWith("mark_read 0\n");
    }

    [Fact]
    public void BpfVerifierException_Refused_KeepsTheUsefulLines()
    {
        VerifierLog.TryExtract(Refused, out string? program, out string? log);
        var error = new BpfVerifierException(program, 13, log);

        error.Message.ShouldBe("loading program on_open: refused by the verifier: R2 invalid mem access 'scalar' (EACCES)");
        error.Log.ShouldBe(
            """
            0: R1=ctx() R10=fp0
            ; return *p; @ t.bpf.c:39
            1: (79) r2 = *(u64 *)(r2 +0)
            R2 invalid mem access 'scalar'
            """);
        error.FullLog.ShouldBe(log);
    }

    [Fact]
    public void UsefulLines_LongLog_KeepsTheLastEight()
    {
        string log = string.Join('\n', Enumerable.Range(0, 100).Select(i => $"line {i}")) + "\nprocessed 5 insns (limit 1000000)\n";

        VerifierLog.UsefulLines(log).ShouldBe("line 92\nline 93\nline 94\nline 95\nline 96\nline 97\nline 98\nline 99");
    }

    [Theory]
    [InlineData("libbpf: prog 'x': -- BEGIN PROG LOAD LOG --\n-- END PROG LOAD LOG --\n")]
    [InlineData("libbpf: prog 'x': -- BEGIN PROG LOAD LOG --\nprocessed 0 insns (limit 1000000) max\n-- END PROG LOAD LOG --\n")]
    [InlineData("libbpf: prog 'x': -- BEGIN PROG LOAD LOG --")]
    [InlineData("libbpf: map 'x': failed to create: Operation not permitted(-1)\n")]
    [InlineData("")]
    public void TryExtract_NoVerdict_ReturnsFalse(string text) => VerifierLog.TryExtract(text, out _, out _).ShouldBeFalse();

    [Fact]
    public void LastWarning_EchoesOfTheReturnCode_AreLeftOut() =>
        VerifierLog.LastWarning("libbpf: elf: 'x' is odd\nlibbpf: prog 'a': failed to load: -22\nlibbpf: failed to load object 'x'\n")
            .ShouldBe("elf: 'x' is odd");

    [Fact]
    public void LastWarning_OfAProgram_LeavesItsNameOut() =>
        VerifierLog.LastWarning("libbpf: prog 'a': failed to create tracepoint perf event: No such device\n")
            .ShouldBe("could not create tracepoint perf event: No such device");

    [Fact]
    public void LastWarning_OnlyEchoes_ReturnsNull() =>
        VerifierLog.LastWarning("libbpf: failed to load object 'x'\n").ShouldBeNull();

    [Fact]
    public void MissingBtfTarget_UnknownTracepoint_NamesIt()
    {
        const string text =
            "libbpf: prog 'on_x': failed to find kernel BTF type ID of 'no_such_tp': -3\nlibbpf: prog 'on_x': failed to load: -3\n";

        VerifierLog.MissingBtfTarget(text).ShouldBe("no_such_tp");
        VerifierLog.FailedProgram(text).ShouldBe("on_x");
    }
}
