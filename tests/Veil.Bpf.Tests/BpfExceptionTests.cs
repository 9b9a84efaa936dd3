// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf.Tests;

public class BpfExceptionTests
{
    [Fact]
    public void Message_WithErrno_NamesOperationSubjectCauseAndError()
    {
        var error = new BpfException("creating map", "pids", 12);

        error.Message.ShouldBe("creating map pids: cannot allocate memory (ENOMEM)");
        (error.Operation, error.Subject, error.Errno, error.ErrnoName, error.Hint).ShouldBe(("creating map", "pids", 12, "ENOMEM", null));
    }

    [Fact]
    public void Message_WithHint_EndsWithIt() =>
        new BpfException("creating map", "pids", 1, "run as root").Message.ShouldBe(
            "creating map pids: operation not permitted (EPERM); run as root");

    [Fact]
    public void Message_WithoutSubjectAndErrno_LeavesThemOut() =>
        new BpfException("reading BTF", "", "it is big-endian").Message.ShouldBe("reading BTF: it is big-endian");

    [Theory]
    [InlineData(524, "ENOTSUPP", "operation not supported by the kernel")]
    [InlineData(95, "EOPNOTSUPP", "operation not supported")]
    [InlineData(133, "EHWPOISON", "memory page has hardware error")]
    [InlineData(4001, "LIBBPF_ERRNO__FORMAT", "libbpf cannot use this object file")]
    public void Message_UnusualErrno_IsNamed(int errno, string name, string cause)
    {
        var error = new BpfException("loading object", "x", errno);

        (error.ErrnoName, error.Cause).ShouldBe((name, cause));
    }

    [Fact]
    public void ErrnoName_Unknown_GivesTheNumber() => new BpfException("a", "b", 9999).ErrnoName.ShouldBe("errno 9999");

    [Fact]
    public void UnsupportedByKernel_NewerMinimum_NamesBothVersions()
    {
        var error = new UnsupportedByKernelException("creating map", "ring", "BPF maps of type RingBuffer", new Version(99, 1), 22);

        error.Message.ShouldBe(
            $"creating map ring: this kernel does not offer BPF maps of type RingBuffer (EINVAL); it came with Linux 99.1, this is " +
                $"{KernelFeatures.KernelVersion}");
        error.MinimumVersion.ShouldBe(new Version(99, 1));
    }

    [Fact]
    public void UnsupportedByKernel_OlderMinimum_BlamesTheConfiguration() =>
        new UnsupportedByKernelException("attaching program", "x", "kprobes", new Version(2, 6)).Hint
            .ShouldBe(
                $"it came with Linux 2.6; in this {KernelFeatures.KernelVersion} it is switched off by the configuration or locked down");

    [Theory]
    [InlineData(0x0000000000000000ul, "CAP_BPF and CAP_PERFMON")]
    [InlineData(0x0000008000000000ul, "CAP_PERFMON")]
    [InlineData(0x0000004000000000ul, "CAP_BPF")]
    [InlineData(0x000000c000000000ul, null)]
    [InlineData(0x0000000000200000ul, null)]
    public void MissingForTracing_Effective_NamesWhatLacks(ulong effective, string? missing) =>
        ProcessCapabilities.MissingForTracing(effective).ShouldBe(missing);

    [Fact]
    public void MapCreation_UnknownRingBuffer_HasMinimumVersion() => MinimumKernel.Of(BpfMapType.RingBuffer).ShouldBe(new Version(5, 8));
}
