// SPDX-License-Identifier: GPL-3.0-only
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>Every module by every way of attaching it, sending events, with all that flags can ask for, counting, also by several keys, and
/// making a histogram: against what must work here.</summary>
public sealed class RungTests
{
    // What is counted in a histogram, and what the module needs beside --module; of a module that is not here nothing, and `pid`.
    private static readonly Dictionary<string, (string[] Flags, string Histogram)> s_flags = new(StringComparer.Ordinal)
    {
        ["syscall"] = (["--returns"], "duration_ns"),
        ["files"] = ([], "bytes"),
        ["network"] = ([], "rx_bytes"),
        ["scheduler"] = ([], "wait_ns"),
        ["memory"] = ([], "duration_ns"),
        ["process"] = ([], "duration_ns"),
        ["uprobe"] = (["--uprobe", Repository.Workload("loads") + ":loads_target", "--latency", "--yes"], "duration_ns"),
    };

    // What loads the programs of a module that nobody gets without asking.
    private static readonly Dictionary<string, string[]> s_whole = new(StringComparer.Ordinal)
    {
        ["syscall"] = ["--args", "--slower", "1ms"],
        ["files"] = ["--slower", "1ms"],
        ["network"] = ["--event", "CONNECT,ACCEPT,CLOSE,OVERFLOW,RETRANSMIT,RESET,DROP,OPEN,SEND,RECEIVE,DNS,TRAFFIC"],
        ["process"] = ["--threads"],
    };

    public static TheoryData<string, string, string> Ways
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (string module in Rungs.Modules)
            {
                foreach (string rung in Rungs.All(module))
                {
                    foreach (string mode in new[] { "events", "whole", "count", "keys", "hist" })
                        data.Add(module, rung, mode);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Rung_OfTheTable_AttachesOrIsRefused(string module, string hook, string mode)
    {
        var (flags, histogram) = s_flags.GetValueOrDefault(module, ([], "pid"));
        string[] counting = mode switch
        {
            "whole" => [.. s_whole.GetValueOrDefault(module, []), "--enrich", "all"],
            "count" => ["--count"],
            "keys" => ["--count-by", "comm,pid,tid,uid"],
            "hist" => ["--hist", histogram],
            _ => [],
        };
        string[] arguments = ["--module", module, "--hook", hook, "-p", Environment.ProcessId.ToString(), .. flags, .. counting];

        if (Rungs.Possible(module).Contains(hook))
        {
            using var veil = VeilRun.Attach(arguments);
            veil.Errors.ShouldContain($"tracing {module} by {hook};");
            veil.Stop().ShouldBe(0);
        }
        else
        {
            var veil = VeilRun.ToEnd(arguments);
            veil.ExitCode.ShouldBe(1);
            veil.Errors.Trim().Split('\n').Where(static line => !line.StartsWith("veil: warning: ", StringComparison.Ordinal))
                .ShouldHaveSingleItem().ShouldStartWith($"veil: attaching module {module} by {hook}: ");
        }
    }

    [Fact]
    public void Doctor_EveryRung_IsAsTheTableHasIt()
    {
        var modules = JsonDocument.Parse(VeilRun.ToEnd("doctor", "--output", "json").RawOutput).RootElement.GetProperty("modules");

        modules.EnumerateObject().Select(static module => module.Name).ShouldBe(Rungs.Modules);
        foreach (string module in Rungs.Modules)
        {
            var rungs = modules.GetProperty(module).GetProperty("hooks").EnumerateObject().ToList();
            rungs.Select(static rung => rung.Name).ShouldBe(Rungs.All(module), module);
            rungs.Where(static rung => rung.Value.GetProperty("possible").GetBoolean()).Select(static rung => rung.Name)
                .ShouldBe(Rungs.Possible(module), module);
            modules.GetProperty(module).GetProperty("hook").GetString().ShouldBe(Rungs.Best(module));
        }
    }
}
