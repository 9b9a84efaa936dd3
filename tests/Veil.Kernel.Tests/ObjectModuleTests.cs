// SPDX-License-Identifier: GPL-3.0-only
using System.Text.Json;
using Veil.Core.Filters;
using Veil.Core.Modules;
using Veil.Core.Options;
using Veil.Core.Output;
using Veil.Core.Session;
using Veil.Core.Sinks;
using Veil.Core.Waiting;
using Veil.Modules;

namespace Veil.Kernel.Tests;

/// <summary>How far a module's object alone goes (docs/adr/0020-module-facts-as-data.md): memory is all there, and of scheduler what a
/// switch itself tells; which of its events are chosen by --off-cpu needs code.</summary>
public sealed class ObjectModuleTests
{
    [Theory]
    [InlineData("memory")]
    public void Facts_OfTheObjectAlone_AreThoseThatTheModuleDeclares(string name)
    {
        var declared = ModuleCatalog.All.Single(module => module.Name == name);
        var found = Of(name);

        found.Name.ShouldBe(declared.Name);
        found.Rungs.Select(static rung => rung.Name).ShouldBe(declared.Rungs.Select(static rung => rung.Name));
        foreach (var (one, other) in found.Rungs.Zip(declared.Rungs))
            one.Programs.Select(static program => program.Name)
                .ShouldBe(other.Programs.Select(static program => program.Name), ignoreOrder: true, one.Name);
        found.Filters.Select(static filter => filter.Name).ShouldBe(declared.Filters.Select(static filter => filter.Name));
        found.Flags.ShouldBe(declared.Flags);
        var aliases = declared.FieldAliases.Select(static alias => alias.Alias);
        ModuleFields.Of(found).Select(static field => field.Field.Name)
            .ShouldBe(ModuleFields.Of(declared).Select(static field => field.Field.Name).Except(aliases));
    }

    /// <summary>
    /// Attached, filtered and read like any module. What the C# of the module sets before loading is missing: it finds no waiting times
    /// (scheduler_waits) and the state of the task only from its own members.
    /// </summary>
    [Theory]
    [InlineData("tp_btf")]
    [InlineData("raw_tp")]
    public void Scheduler_OfTheObjectAlone_SendsItsEvents(string hook)
    {
        using var workload = Workload.Waiting("switches", "sleep", "50");
        string file = Path.GetTempFileName();
        var filter = FilterExpression.Parse(new PidDimension(), [workload.Pid]);
        Environment.SetEnvironmentVariable("VEIL_KEEP_PRIVILEGES", "1"); // this process goes on
        try
        {
            using var stop = new StopSignal();
            using (var output = OutputFile.Open(file))
            {
                var options =
                    new SessionOptions
                    {
                        Modules = [Of("scheduler")],
                        Filters = [filter],
                        Hook = hook,
                        Output = new OutputOptions(OutputFormat.Json, [], Enrichments.None, false),
                        Quiet = true
                    };
                using var session = KernelTrace.Start(options, stop, static _ => { }, root: null, output);
                var reader = new Thread(() => session.Run());
                reader.Start();
                workload.Go();
                stop.Request();
                reader.Join();
            }

            var leaving = File.ReadLines(file).Select(static line => JsonDocument.Parse(line).RootElement)
                .Where(e => e.GetProperty("pid").GetInt64().ToString() == workload.Pid && e.TryGetProperty("prev_state", out _)).ToList();
            leaving.ShouldAllBe(
                static e => e.GetProperty("module").GetString() == "scheduler" && e.GetProperty("wait_ns").ValueKind == JsonValueKind.Null);
            leaving.Count(static e => e.GetProperty("prev_state").GetString() == "SLEEPING").ShouldBe((int)workload.Number("voluntary"));
        }
        finally
        {
            Environment.SetEnvironmentVariable("VEIL_KEEP_PRIVILEGES", null);
            File.Delete(file);
        }
    }

    private static ObjectModule Of(string name) => new(Path.Combine(Repository.Root, "artifacts/bpf", name + ".bpf.o"));
}
