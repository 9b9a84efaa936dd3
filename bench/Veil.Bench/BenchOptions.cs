// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bench.Processes;

namespace Veil.Bench;

/// <summary>How much is measured, and where the raw results go.</summary>
internal readonly record struct BenchOptions(
    int Rounds, int Calls, int BurstRuns, int TextBurstCalls, int JsonBurstCalls, int ModuleRounds, bool ModulesOnly, string? JsonFile,
    string? Into)
{
    internal const string Usage = "usage: Veil.Bench [--quick] [--modules] [--json FILE] [--into PAGE]";

    private static readonly BenchOptions s_full = new(
        Rounds: 15, Calls: 1_000_000, BurstRuns: 10, TextBurstCalls: 5_000_000, JsonBurstCalls: 2_000_000, ModuleRounds: 5,
        ModulesOnly: false, JsonFile: null, Into: null);

    private static readonly BenchOptions s_quick = new(
        Rounds: 3, Calls: 300_000, BurstRuns: 2, TextBurstCalls: 1_000_000, JsonBurstCalls: 500_000, ModuleRounds: 1, ModulesOnly: false,
        JsonFile: null, Into: null);

    internal static BenchOptions Parse(IReadOnlyList<string> arguments)
    {
        bool quick = false, modulesOnly = false;
        string? jsonFile = null, into = null;
        for (int i = 0; i < arguments.Count; i++)
        {
            switch (arguments[i])
            {
                case "--quick":
                    quick = true;
                    break;
                case "--modules":
                    modulesOnly = true;
                    break;
                case "--json" when i + 1 < arguments.Count:
                    jsonFile = arguments[++i];
                    break;
                case "--into" when i + 1 < arguments.Count:
                    into = arguments[++i];
                    break;
                default:
                    throw new BenchException($"'{arguments[i]}' is not understood; {Usage}");
            }
        }
        return (quick ? s_quick : s_full) with { JsonFile = jsonFile, Into = into, ModulesOnly = modulesOnly };
    }
}
