// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;

namespace Veil.Kernel.Tests;

/// <summary>A fact about newer kernels, skipped with the reason on an older one.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class KernelFactAttribute : FactAttribute
{
    public KernelFactAttribute(int major, int minor, string why) => Skip = KernelTheoryAttribute.WhyNot(major, minor, why);
}

/// <summary>The same of a theory.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class KernelTheoryAttribute : TheoryAttribute
{
    public KernelTheoryAttribute(int major, int minor, string why) => Skip = WhyNot(major, minor, why);

    internal static string? WhyNot(int major, int minor, string why) =>
        KernelFeatures.KernelVersion < new Version(major, minor) ? $"before Linux {major}.{minor}: {why}" : null;
}
