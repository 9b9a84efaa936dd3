// SPDX-License-Identifier: GPL-3.0-only
using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.ExceptionServices;
using Veil.Bpf;
using Veil.Core.Filters;
using Veil.Core.Interop;
using Veil.Core.Modules;
using Veil.Core.Options;
using Veil.Core.Output;
using Veil.Core.Sinks;

namespace Veil.Core.Sources;

/// <summary>Brings the modules of a session into the kernel, each by the first of its hooks that loads and attaches.</summary>
/// <param name="facts">What they start with.</param>
/// <param name="log">Takes a line for every hook that is not taken.</param>
internal sealed class ModuleLoader(StartFacts facts, Action<string> log)
{
    // Each holds the kernel's types for a while.
    private const int ThreadsMax = 4;

    /// <summary>
    /// Attaches the modules one after the other. Those after the first, whose maps the others share, are loaded side by side where there
    /// are CPUs, memory and descriptors for it: nearly all of the time is the kernel's check of their programs.
    /// </summary>
    /// <param name="modules">In the order in which they are attached.</param>
    /// <param name="attached">Takes each module as soon as it is attached, also where a later one fails.</param>
    /// <exception cref="VeilException">One has no hook that is possible, or the forced one is not.</exception>
    public void Attach(IReadOnlyList<StartedModule> modules, List<AttachedModule> attached)
    {
        var ladders = modules.Select(module => new Ladder(module, facts, log)).ToList();
        try
        {
            attached.Add(ladders[0].Attach());
            if (modules.Count > 2 && CanLoadTogether(modules.Count))
                LoadTogether(ladders[1..]);
            foreach (var ladder in ladders.Skip(1))
                attached.Add(ladder.Attach());
        }
        finally
        {
            ladders.ForEach(static ladder => ladder.Dispose());
        }
    }

    /// <summary>Attaches a module in one way for an instant, to this process alone.</summary>
    /// <returns>Why it does not work, or nothing.</returns>
    public static string? WhyNot(TraceModule module, HookRung rung)
    {
        const int ringBytes = 4096;
        var self = FilterExpression.Parse(new PidDimension(), [Environment.ProcessId.ToString(CultureInfo.InvariantCulture)]);
        var options = new SessionOptions
        {
            Modules = [module],
            Filters = [self],
            Output = new OutputOptions(OutputFormat.Text, [], Enrichments.None, false),
            RingBytes = ringBytes,
        };
        try
        {
            MemoryBudget.RequireOne(rung, ringBytes);
            using var ring = new EventRings(ringBytes);
            var facts = new StartFacts(options, ring, Helper: 0, Stop: null, MemoryBudget.OfOne(ringBytes), new Following(options, modules: 1));
            using var start = new ModuleStart(new StartedModule(module, Number: 0, Position: 0, Plan: null), rung, facts);
            start.Load();
            start.Attach().Dispose();
            return null;
        }
        catch (Exception cause) when (cause is BpfException or VeilException)
        {
            return cause.Message;
        }
    }

    private static void LoadTogether(List<Ladder> ladders)
    {
        ladders.ForEach(static ladder => ladder.Prepare());
        // The longest first: at the end nobody waits for one that began late.
        var queue = new ConcurrentQueue<Ladder>(ladders.OrderByDescending(static ladder => ladder.Programs));
        void Work()
        {
            while (queue.TryDequeue(out var ladder))
                ladder.Load();
        }

        // Threads of their own, which have ended before privileges are given up.
        var threads = Enumerable.Range(1, Math.Min(Math.Min(ThreadsMax, Environment.ProcessorCount), ladders.Count))
            .Skip(1).Select(_ => new Thread(Work)).ToList();
        threads.ForEach(static thread => thread.Start());
        Work();
        threads.ForEach(static thread => thread.Join());
    }

    // Where something is short, one after the other needs less of it, and the line about it is the right one.
    private static bool CanLoadTogether(int modules)
    {
        const int rlimitAddressSpace = 9; // RLIMIT_AS
        return Environment.ProcessorCount > 1 && !MemoryCgroup.IsTight && LibC.LimitOf(rlimitAddressSpace) == ulong.MaxValue
            && StandardStreams.FilesMax >= (ulong)OpenFiles.EnoughFor(modules);
    }

    /// <summary>The hooks of a module, tried one after the other.</summary>
    private sealed class Ladder(StartedModule started, StartFacts facts, Action<string> log) : IDisposable
    {
        private readonly Queue<HookRung> _rungs =
            new(started.Module.Rungs.Where(rung => facts.Options.Hook is null || rung.Name == facts.Options.Hook));

        private readonly List<string> _reasons = [];
        private ModuleStart? _start;
        private bool _isLoaded;
        private ExceptionDispatchInfo? _error;

        /// <summary>How many programs will be loaded.</summary>
        public int Programs => _start?.Programs ?? 0;

        /// <summary>Climbs down to the next hook that this kernel has.</summary>
        public void Prepare()
        {
            while (_start is null)
            {
                if (!_rungs.TryDequeue(out var rung))
                    throw Impossible();
                try
                {
                    _start = new ModuleStart(started, rung, facts);
                }
                catch (Exception cause) when (IsOfHook(cause))
                {
                    Skip(rung, cause);
                }
            }
        }

        /// <summary>Loads what is prepared. What goes wrong is thrown in its turn, by <see cref="Attach"/>.</summary>
        public void Load()
        {
            try
            {
                _start!.Load();
                _isLoaded = true;
            }
            catch (Exception error)
            {
                _error = ExceptionDispatchInfo.Capture(error);
            }
        }

        /// <summary>Goes on from where it is, down to the first hook that loads and attaches.</summary>
        public AttachedModule Attach()
        {
            while (true)
            {
                Prepare();
                try
                {
                    if (!_isLoaded && _error is null)
                        Load();
                    _error?.Throw();
                    return _start!.Attach();
                }
                catch (Exception cause) when (IsOfHook(cause))
                {
                    Skip(_start!.Rung, cause);
                }
            }
        }

        public void Dispose()
        {
            _start?.Dispose();
            (_start, _isLoaded, _error) = (null, false, null);
        }

        private static bool IsOfHook(Exception cause) =>
            cause is BpfException { IsOutOfDescriptors: false } or VeilException { IsFinal: false };

        private void Skip(HookRung rung, Exception cause)
        {
            Dispose();
            // The kernel's check gives up for a signal, after some more tries of libbpf.
            facts.Stop?.ThrowIfEarly();
            _reasons.Add($"{rung.Name}: {cause.Message}");
            log($"{started.Module.Name}: {rung.Name} is not possible: {cause.Message}");
        }

        private VeilException Impossible() => new(_reasons.Count == 1
            ? $"attaching module {started.Module.Name} by {_reasons[0]}"
            : $"attaching module {started.Module.Name}: no hook works here ({string.Join("; ", _reasons)})");
    }
}
