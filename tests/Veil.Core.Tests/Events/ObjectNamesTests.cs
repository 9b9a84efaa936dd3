// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;

namespace Veil.Core.Tests.Events;

/// <summary>The names in the modules' objects. The kernel keeps 15 characters of one (BPF_OBJ_NAME_LEN), and that is what bpftool
/// shows.</summary>
public sealed class ObjectNamesTests
{
    private const int KernelKeeps = 15;
    private static readonly string[] s_rungs = ["_tp_btf", "_raw_tp", "_tracepoint", "_fentry", "_kprobe", "_perf", ""];

    public static TheoryData<string> Modules =>
        [.. Directory.GetFiles(Path.Combine(SyscallObject.Root, "artifacts/bpf"), "*.bpf.o")
            .Select(static path => Path.GetFileName(path)[..^".bpf.o".Length])];

    [Theory]
    [MemberData(nameof(Modules))]
    public void Maps_OfAModule_AreKeptWhole(string module)
    {
        using var bpf = Open(module);

        bpf.Maps.Select(static map => map.Name).Where(static name => name.Length > KernelKeeps).ShouldBeEmpty();
    }

    /// <summary>What the kernel keeps says whose program it is, and which of those that one hook loads.</summary>
    [Theory]
    [MemberData(nameof(Modules))]
    public void Programs_OfAModule_AreToldApartByWhatIsKept(string module)
    {
        using var bpf = Open(module);

        foreach (var rung in bpf.Programs.Select(static program => program.Name).GroupBy(static name => s_rungs.First(name.EndsWith)))
        {
            var kept = rung.Select(static name => name[..Math.Min(name.Length, KernelKeeps)]).ToList();
            kept.ShouldAllBe(
                name => name.StartsWith(module + "_", StringComparison.Ordinal) || name.StartsWith("veil_", StringComparison.Ordinal));
            kept.ShouldBeUnique();
        }
    }

    private static BpfObject Open(string module) =>
        BpfObject.Open(File.ReadAllBytes(Path.Combine(SyscallObject.Root, $"artifacts/bpf/{module}.bpf.o")), module);
}
