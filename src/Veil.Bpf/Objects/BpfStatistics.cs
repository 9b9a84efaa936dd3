// SPDX-License-Identifier: GPL-3.0-only
using Microsoft.Win32.SafeHandles;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>
/// Keeps the kernel counting runs and run time of every BPF program on the machine, at some 20 ns a run, until disposed
/// (BPF_ENABLE_STATS, 5.8).
/// </summary>
public sealed class BpfStatistics : SafeHandleMinusOneIsInvalid
{
    private const int BPF_STATS_RUN_TIME = 0;

    private BpfStatistics(int fd)
        : base(ownsHandle: true) => SetHandle(fd);

    /// <summary>Starts counting. Several holders are fine: it ends with the last.</summary>
    /// <exception cref="UnsupportedByKernelException">The kernel is older than 5.8; there the sysctl kernel.bpf_stats_enabled does the
    /// same.</exception>
    /// <exception cref="BpfException">Privileges are missing (CAP_SYS_ADMIN).</exception>
    public static BpfStatistics Enable()
    {
        int fd = NativeProgram.bpf_enable_stats(BPF_STATS_RUN_TIME);
        return fd switch
        {
            >= 0 => new BpfStatistics(fd),
            -Errno.EINVAL => throw new UnsupportedByKernelException(
                "enabling", "program statistics", "run-time statistics on request", MinimumKernel.RunTimeStatistics, Errno.EINVAL),
            _ => throw BpfErrors.Create("enabling", "program statistics", -fd),
        };
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => NativeFile.close((int)handle) == 0;
}
