// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Containers;
using Veil.Core.Counting;
using Veil.Core.Hints;
using Veil.Core.Interop;
using Veil.Core.Modules;
using Veil.Core.Options;
using Veil.Core.Output;
using Veil.Core.Pipeline;
using Veil.Core.Privileged;
using Veil.Core.Recordings;
using Veil.Core.Running;
using Veil.Core.Sinks;
using Veil.Core.Sources;
using Veil.Core.Stacks;
using Veil.Core.Symbols;
using Veil.Core.Text;
using Veil.Core.Waiting;

namespace Veil.Core.Session;

/// <summary>Starts a trace of the running kernel.</summary>
public static class KernelTrace
{
    // Three shares of a busy CPU to another task's one. auditd asks for nearly the same (priority_boost, auditd.conf(5)).
    private const int ReaderNice = -5;

    /// <summary>Loads and attaches every module, then gives up the privileges that are not needed any more.</summary>
    /// <param name="options">What to trace and show.</param>
    /// <param name="stop">Ends the trace.</param>
    /// <param name="message">Takes a line for the user.</param>
    /// <param name="root">The helper process that does later what needs root; none where nothing does.</param>
    /// <param name="file">Where events and counts go; none: a standard stream.</param>
    /// <param name="command">The command that is traced, once it gets the word; or none.</param>
    /// <param name="recorder">Records what comes; or none.</param>
    /// <param name="lines">Where events go instead of a stream; or none.</param>
    /// <param name="export">What takes the events beside the output; or none.</param>
    /// <exception cref="VeilException">Something could not be attached; nothing stays attached.</exception>
    public static TraceSession Start(
        SessionOptions options, StopSignal stop, Action<string> message, RootClient? root = null, OutputFile? file = null,
        TracedCommand? command = null, Recorder? recorder = null, IOutput? lines = null, IExport? export = null)
    {
        var events = ModuleEvents.Read(options.Modules, options.ArgumentsOf, options.OriginFields);
        FieldSelection.Validate(events, options.Output, field => ModuleFields.HintFor(options.Modules, field));
        if ((options.Counting ?? options.CountingSent) is { } counting)
        {
            foreach (var module in options.Modules)
                _ = CountPlan.Of(module, events.Schemas, counting);
        }

        if (!KernelFeatures.HasBtf)
            throw new VeilException(
                "tracing needs the kernel's BTF: /sys/kernel/btf/vmlinux is missing (a kernel built with CONFIG_DEBUG_INFO_BTF has it)");
        Privileges.Require();
        if (!PidNamespace.IsInitial)
            message("warning: this is a PID namespace of its own, and the kernel's ids are those of the host: --pid " +
                "and the output mean those");
        KernelSource? source = null;
        try
        {
            NameStacks(options, message, root);
            source = new KernelSource(options, events, stop, options.Verbose ? message : static _ => { }, root);
            file?.Empty();
            IReadOnlyList<TraceOutput> outputs =
                options.ShowsNothing ? [] : [new TraceOutput(options.Output, lines ?? new FdOutput(file?.Fd ?? options.Stream, stop))];
            stop.ThrowIfEarly();
            var session =
                new TraceSession(
                source, outputs, options, stop, message, root, options.Quiet || command is not null ? null
                : SilenceHint.Watch(options), command, recorder, export);
            if (command is not null)
                command.HasDescendants = () => source.HasCommandTasks;
            // A machine in trouble is often one without a free CPU, and a reader that waits for its turn loses events. Without
            // the right to it (CAP_SYS_NICE) the reader stays what it is.
            _ = LibC.SetPriority(0, 0, ReaderNice);
            source.PrepareCost();
            DropPrivileges(options, message, root, connects: export is not null);
            foreach (var module in source.MissingUncounted)
                message($"warning: {module.Module.Name} by {module.Hook} can miss events uncounted: before Linux 6.7 a tracepoint's " +
                    $"program is skipped in silence while another runs on that CPU");
            return session;
        }
        catch (Exception cause)
        {
            source?.Dispose();
            if (OpenFiles.IsShort(cause))
                throw OpenFiles.Explain(cause, options.Modules.Count);
            if (cause is BpfException)
                throw new VeilException(cause.Message, cause);
            throw;
        }
    }

    // From before the first event on, and for as long as the process lives: counts are named at the end.
    private static void NameStacks(SessionOptions options, Action<string> message, RootClient? root)
    {
        var kinds = options.StacksTaken;
        if (kinds == StackKinds.None || StackTable.Own.Names is not null)
            return;
        var names = StackNames.Start(root, kernel: kinds.HasFlag(StackKinds.Kernel), processes: kinds.HasFlag(StackKinds.User),
            noLines: options.ShowsLines ? path => message(
                $"--lines: {Escaping.ForMessage(path)} has no lines of its source (.debug_line), nor has a file of symbols for it; its debug package, or " +
                $"debuginfod-find debuginfo, brings one. Of other files this is not said again") : null,
            asksJit: options.AsksJit);
        StackTable.Own.Names = names;
        if (names.Refusal is { } refusal)
            message($"warning: stacks of processes that have ended by then will lack names: {refusal}");
        if (kinds.HasFlag(StackKinds.Kernel) && names.HidesKernel)
            message("warning: the kernel's stacks will lack names: /proc/kallsyms hides its addresses (kernel.kptr_restrict)");
    }

    private static void DropPrivileges(SessionOptions options, Action<string> message, RootClient? root, bool connects)
    {
        if (options.KeepsPrivileges || Environment.GetEnvironmentVariable("VEIL_KEEP_PRIVILEGES") == "1")
            return;
        string held = Privileges.DropForReading(keepUser: root is not null && !root.WaitUntilReady(), signals: options.Command > 0);
        var filter =
            SystemCallFilter.ForReader(
            connects: connects || options.TakesCommands || options.Record is not null || options.Output.Enrichments.HasFlag(Enrichments.User),
            options.Command);
        // From here on the files of runtimes are the helper's to read. What is known stays known.
        if (root is not null)
            ContainerNames.Own.Reader = root.FindContainer;
        string calls = filter.TryInstall(out string? refusal) ? "a system call filter" : $"no system call filter ({refusal})";
        if (options.Verbose)
            message($"privileges: {held}, {calls}{(root is { Pid: > 0 } ? $"; helper process {root.Pid}" : "")}");
    }
}
