// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Filters;

namespace Veil.Modules.Scheduler;

/// <summary>The CPU that switches. As with <c>taskset</c>, a list may name CPUs that this machine lacks, as long as it has one of
/// them.</summary>
internal sealed class CpuDimension : FilterDimension
{
    // The most that a kernel for x86-64 can be built for (NR_CPUS_RANGE_END in arch/x86/Kconfig); arm64 allows 4,096.
    private const int KernelMax = 8_191;

    private static int CpuMax => KernelFeatures.PossibleCpuCount - 1;

    public override string Name => "cpu";

    public override string ValueName => "CPU";

    public override string Description => "these CPUs, by number or range (0-3)";

    public override string AcceptedForm => $"a CPU of this machine, from 0 to {CpuMax}, or a range of them";

    public override string? ParseKeys(string text, List<FilterKey> keys)
    {
        int dash = text.IndexOf('-', 1);
        string first = dash < 0 ? text : text[..dash];
        string last = dash < 0 ? text : text[(dash + 1)..];
        if ((ParseNumber(first, 0, KernelMax, out long from, text) ?? ParseNumber(last, 0, KernelMax, out _, text)) is { } wrong)
            return wrong;
        _ = ParseNumber(last, 0, KernelMax, out long to);
        if (from > to)
            return $"{Quoted(text)} ends before it begins ({AcceptedForm})";
        for (long cpu = from; cpu <= to; cpu++)
            keys.Add(new((UInt128)cpu, cpu.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        return null;
    }

    public override bool CanMatch(FilterKey key) => key.Bits <= (UInt128)CpuMax;

    public override IEnumerable<string> Warnings(IEnumerable<FilterKey> keys) =>
        keys.All(CanMatch) ? [] : [$"this machine has no CPU above {CpuMax}"];
}
