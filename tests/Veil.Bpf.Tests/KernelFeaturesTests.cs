// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf.Tests;

public class KernelFeaturesTests
{
    [Theory]
    [InlineData("6.1.0-18-amd64", 6, 1, 0)]
    [InlineData("5.10.0-rc1+", 5, 10, 0)]
    [InlineData("6.18", 6, 18, 0)]
    [InlineData("5.15.167.4-microsoft-standard-WSL2", 5, 15, 167)]
    [InlineData("", 0, 0, 0)]
    [InlineData("99999999999999999999.1", 999999999, 0, 0)]
    [InlineData("-6.1", 0, 0, 0)]
    public void ParseRelease_AnyText_TakesTheLeadingNumbers(string release, int major, int minor, int patch) =>
        KernelFeatures.ParseRelease(release).ShouldBe(new Version(major, minor, patch));

    [Fact]
    public void PossibleCpuCount_ThisMachine_CoversTheProcessors() =>
        KernelFeatures.PossibleCpuCount.ShouldBeGreaterThanOrEqualTo(Environment.ProcessorCount);

    [Fact]
    public void HasBtfTracepoint_SchedSwitch_IsThere()
    {
        KernelFeatures.HasBtfTracepoint("sched_switch").ShouldBeTrue();
        KernelFeatures.HasBtfTracepoint("no_such_tracepoint").ShouldBeFalse();
    }

    [Fact]
    public void FentryRefusal_UnknownFunction_SaysSo() =>
        KernelFeatures.FentryRefusal("no_such_function").ShouldBe("this kernel has no such function");

    [Theory]
    [InlineData("tp_btf/sched_switch", (int)HookKind.BtfTracepoint)]
    [InlineData("fexit/vfs_read", (int)HookKind.Function)]
    [InlineData("raw_tp/sys_enter", (int)HookKind.RawTracepoint)]
    [InlineData("tp/syscalls/sys_enter_open", (int)HookKind.Tracepoint)]
    [InlineData("kretprobe/vfs_read", (int)HookKind.Kprobe)]
    [InlineData("uprobe", (int)HookKind.Uprobe)]
    [InlineData("perf_event", (int)HookKind.PerfEvent)]
    [InlineData("xdp", (int)HookKind.Other)]
    public void OfSection_SectionName_GivesTheKind(string section, int kind) => ((int)HookKinds.OfSection(section)).ShouldBe(kind);
}
