// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Tests.Kernel;

/// <summary>A theory that needs the machine's own kernel headers; reported as skipped where they are not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class HeaderTheoryAttribute : TheoryAttribute
{
    public HeaderTheoryAttribute()
    {
        if (MachineHeaders.Find("x86_64-linux-gnu/asm/unistd_64.h") is null)
            Skip = "linux-libc-dev is not installed";
    }
}
