// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Kernel.Tests;

/// <summary>A theory about MPTCP, skipped with the reason where the kernel is built without it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MptcpTheoryAttribute : TheoryAttribute
{
    public MptcpTheoryAttribute()
    {
        if (!Directory.Exists("/proc/sys/net/mptcp"))
            Skip = "this kernel has no MPTCP (CONFIG_MPTCP)";
    }
}
