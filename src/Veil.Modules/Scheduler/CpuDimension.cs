using Veil.Bpf;
using Veil.Core.Filters;

namespace Veil.Modules.Scheduler;

/// <summary>The CPU that switches.</summary>
public sealed class CpuDimension : FilterDimension
{
    private static int CpuMax => KernelFeatures.PossibleCpuCount - 1;

    /// <inheritdoc/>
    public override string Name => "cpu";

    /// <inheritdoc/>
    public override string ValueName => "CPU";

    /// <inheritdoc/>
    public override string Description => "these CPUs, by number or range (0-3)";

    /// <inheritdoc/>
    public override string AcceptedForm => $"a CPU of this machine, from 0 to {CpuMax}, or a range of them";

    /// <inheritdoc/>
    public override string? ParseKeys(string text, List<FilterKey> keys)
    {
        int dash = text.IndexOf('-', 1);
        string first = dash < 0 ? text : text[..dash];
        string last = dash < 0 ? text : text[(dash + 1)..];
        if ((ParseNumber(first, 0, CpuMax, out long from) ?? ParseNumber(last, 0, CpuMax, out _)) is { } wrong)
            return wrong;
        _ = ParseNumber(last, 0, CpuMax, out long to);
        if (from > to)
            return $"ends before it begins ({AcceptedForm})";
        for (long cpu = from; cpu <= to; cpu++)
            keys.Add(new((UInt128)cpu, cpu.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        return null;
    }
}
