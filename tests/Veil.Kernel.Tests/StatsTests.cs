// SPDX-License-Identifier: GPL-3.0-only
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>--stats: what the trace itself costs.</summary>
public sealed class StatsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-stats-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Stats_CountEveryRunOfAProgram_AtTheEndAndInTheStatus()
    {
        string path = Path.Combine(_folder, "v.sock");
        using var burst = Workload.Waiting("burst", "100000");
        using var veil = VeilRun.Attach("-m", "syscall", "-p", burst.Pid, "-s", "!getppid", "--stats", "--control", path);
        burst.Go();
        using var client = new SocketClient(path);

        var cost = JsonDocument.Parse(client.Ask("status json").ShouldNotBeNull()[3..]).RootElement.GetProperty("cost");
        var program = cost.GetProperty("programs").EnumerateArray()
            .Single(static program => !program.GetProperty("program").GetString()!.StartsWith("veil_cgroup_", StringComparison.Ordinal));
        program.GetProperty("program").GetString().ShouldBe("syscall_enter_tp_btf");
        // Other processes' calls run it too.
        program.GetProperty("runs").GetUInt64().ShouldBeGreaterThanOrEqualTo(100_000ul);
        program.GetProperty("time_ns").GetUInt64().ShouldBeGreaterThan(100_000ul);
        cost.GetProperty("cpu_ns").GetUInt64().ShouldBeGreaterThan(0ul);
        cost.GetProperty("memory_bytes").GetUInt64().ShouldBeGreaterThan(1_000_000ul);
        cost.GetProperty("map_bytes").GetUInt64().ShouldBeGreaterThan(16_000_000ul);
        veil.Stop().ShouldBe(0);
        veil.Errors.ShouldContain("veil: cost: BPF programs ran ");
        veil.Errors.ShouldContain("veil: cost: syscall_enter_tp_btf: ");
        veil.Errors.ShouldContain("veil: cost: veil took ");
    }

    [Fact]
    public void Stats_NotAskedFor_AreNotMeasured()
    {
        using var veil = VeilRun.Attach("-m", "syscall", "-p", "1");
        veil.Stop().ShouldBe(0);

        veil.Errors.ShouldNotContain("cost:");
    }
}
