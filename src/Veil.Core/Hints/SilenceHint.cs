// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using Veil.Bpf.Interop;
using Veil.Core.Filters;
using Veil.Core.Interop;
using Veil.Core.Kernel;
using Veil.Core.Modules;
using Veil.Core.Options;
using Veil.Core.Sources;

namespace Veil.Core.Hints;

/// <summary>
/// Why a trace has nothing to show, as far as <c>/proc</c> and the filters know. What needs the right to trace a process is read before
/// that
/// is given up; the rest, once, when the silence has lasted.
/// </summary>
internal sealed class SilenceHint
{
    /// <summary>So long a silence is worth a look.</summary>
    public const int AfterMs = 3_000;

    // More processes than a person has in mind, and more threads than are quickly looked at.
    private const int ProcessesMax = 64;
    private const int ThreadsMax = 256;
    private const int DescriptorsMax = 4_096;
    private const int Named = 8;

    // What /proc counts time in (USER_HZ).
    private const ulong NsPerTick = 10_000_000;

    private readonly Dictionary<int, ProcessState> _atStart = [];
    private readonly ulong _startedTicks = (ulong)LibC.NowNs(LibC.ClockBoottime) / NsPerTick;

    // Modules that would show something of a process that only computes.
    private readonly string[] _ofComputing;

    private SilenceHint(SessionOptions options) =>
        _ofComputing =
            [.. options.Available.Where(static module => module.ShowsComputing).Select(static module => module.Name)
            .Except(options.Modules.Select(static module => module.Name))];

    /// <summary>Looks at the processes that are to be traced.</summary>
    public static SilenceHint Watch(SessionOptions options)
    {
        var hint = new SilenceHint(options);
        foreach (
            int pid in AllowedPids(
            options.Filters.Where(static filter => filter.Dimension is PidDimension).SelectMany(static filter => filter.Bits)))
            hint._atStart[pid] = ProcessState.Read(pid);
        return hint;
    }

    /// <summary>What is likely; nothing where nothing is known.</summary>
    /// <param name="modules">The modules, each with what its filters hold now.</param>
    /// <param name="dropped">Events that a filter in userspace dropped.</param>
    /// <param name="flag">That filter's flag.</param>
    public string? Explain(IReadOnlyList<TracedModule> modules, ulong dropped, string flag)
    {
        if (dropped > 0)
            return $"nothing yet: {flag} dropped all {dropped} events so far";
        var filters = modules.SelectMany(static module => module.Filters).Where(static filter => filter.Keys.Count > 0).ToList();
        // In a namespace of its own /proc has other ids than the filters, and where it hides the processes of others, none of them is known
        // to be gone.
        bool isKnown = PidNamespace.IsInitial && KernelFile.Text("/proc/1/comm") is not null;
        string? why = isKnown ? OfProcesses(modules, filters) ?? OfNames(filters) ?? OfUsers(filters) : null;
        why ??= modules is [var only] ? only.Module.WhySilent([], only.Filters) : null;
        why ??= OfCounts(filters);
        return why is null ? null : $"nothing yet: {why}";
    }

    private static List<int> AllowedPids(IEnumerable<KeyValuePair<FilterKey, FilterBits>> keys) =>
        [.. keys.Where(static key => key.Value == FilterBits.Allow).Select(static key => (int)key.Key.Bits).Distinct().Take(ProcessesMax)];

    private string? OfProcesses(IReadOnlyList<TracedModule> modules, List<FilterMap> filters)
    {
        var traced = AllowedPids(filters.Where(static filter => filter.Dimension is PidDimension).SelectMany(static filter => filter.Keys));
        if (traced.Count == 0)
            return null;
        var living = traced.FindAll(static pid => Directory.Exists($"/proc/{pid}"));
        if (living.Count == 0)
            return traced is [var only]
                ? $"PID {only} {(_atStart.TryGetValue(only, out var before) && before.Exists ? "has ended" : "does not exist")}"
                : $"none of the {traced.Count} processes exists";

        var children = ChildrenOf(living.ToHashSet());
        if (children.Count > 0)
            return OfChildren(living, children);
        if (modules is [var module]
            && module.Module.WhySilent(
            living.ConvertAll(pid => (pid, _atStart.TryGetValue(pid, out var known) ? known.Sockets : [])), module.Filters) is { } why)
            return why;
        return living is [var one] && _atStart.TryGetValue(one, out var then) ? then.Compare(one, modules, _ofComputing) : null;
    }

    private string OfChildren(List<int> living, List<int> children)
    {
        string those = string.Join(", ", children.Take(Named)) + (children.Count > Named ? $" and {children.Count - Named} more" : "");
        string whose = living is [var parent] ? $"PID {parent} has" : $"the {living.Count} processes have";
        string text =
            $"{whose} {children.Count} {(children.Count == 1 ? "child" : "children")} ({those}) that " +
            $"{(children.Count == 1 ? "is" : "are")} not traced";
        // By the time that anybody has typed its id, a child that the trace has seen born may be gone, and the next one there.
        if (children.TrueForAll(pid => Stat(pid) is { StartTicks: var began } && began > _startedTicks))
            return $"{text}, and as young as this trace; --follow traces children from the moment they are made";
        return $"{text}; -p {string.Join(',', living.Concat(children).Take(ProcessesMax))} traces " +
            $"{(living.Count + children.Count == 2 ? "both" : "all")}";
    }

    private static string? OfNames(List<FilterMap> filters)
    {
        var wanted = Texts(filters, static dimension => dimension is NameDimension);
        if (wanted.Count == 0 || Threads().Any(name => wanted.Exists(text => name.Contains(text, StringComparison.Ordinal))))
            return null;
        return $"no thread has a name with " +
            $"{string.Join(" or ", wanted.Take(Named).Select(static text => $"'{Text.Escaping.ForMessage(text)}'"))} in it";

        static IEnumerable<string> Threads() => KernelFile.Folders("/proc").Where(IsNumber)
            .SelectMany(
            static process => KernelFile.Folders($"/proc/{process}/task").Take(ThreadsMax)
            .Select(thread => KernelFile.Text($"/proc/{process}/task/{thread}/comm") ?? ""));
    }

    private static string? OfUsers(List<FilterMap> filters)
    {
        var wanted = filters.Where(static filter => filter.Dimension is UidDimension).SelectMany(static filter => filter.Keys)
            .Where(static key => key.Value == FilterBits.Allow).ToList();
        if (wanted.Count == 0)
            return null;
        var uids = wanted.Select(static key => key.Key.Bits.ToString(CultureInfo.InvariantCulture)).ToHashSet(StringComparer.Ordinal);
        bool isThere = KernelFile.Folders("/proc").Where(IsNumber)
            .Any(process => ProcessState.Field($"/proc/{process}/status", "Uid:") is { } ids && uids.Contains(ids.Split('\t')[0]));
        return isThere ? null
            : $"no process of user {string.Join(" or ", wanted.Take(Named).Select(static key => Text.Escaping.ForMessage(key.Key.Text)))} runs";
    }

    private static string? OfCounts(List<FilterMap> filters)
    {
        foreach (var dimension in filters.GroupBy(static filter => filter.Dimension.Name))
        {
            ulong passed = 0, refused = 0;
            foreach (var filter in dimension)
            {
                if (filter.Counts() is not var (through, not))
                    return null;
                passed += through;
                refused += not;
            }

            if (passed == 0 && refused > 0)
            {
                // Who passes a filter of the task is known to exist; the events are those of all others.
                return TraceModule.IsOfTask(dimension.First().Dimension)
                    ? $"of the {refused} events so far none was by what --{dimension.Key} asks for"
                    : $"--{dimension.Key} dropped all {refused} events that came to it";
            }
        }

        return null;
    }

    private static List<string> Texts(List<FilterMap> filters, Func<FilterDimension, bool> wanted) =>
        [.. filters.Where(filter => wanted(filter.Dimension)).SelectMany(static filter => filter.Keys)
            .Where(static key => key.Value == FilterBits.Allow).Select(static key => key.Key.Text).Distinct(StringComparer.Ordinal)];

    // All below them, in the order of their ids.
    private static List<int> ChildrenOf(HashSet<int> traced)
    {
        var parents = new Dictionary<int, int>();
        foreach (string process in KernelFile.Folders("/proc").Where(IsNumber))
        {
            int pid = int.Parse(process, CultureInfo.InvariantCulture);
            if (Stat(pid) is { State: not "Z", Parent: var parent })
                parents[pid] = parent;
        }

        return [.. parents.Keys.Where(pid => !traced.Contains(pid) && IsBelow(pid)).Order()];

        bool IsBelow(int pid)
        {
            // What /proc says of a moment that was none may be a ring.
            for (int depth = 0; depth < parents.Count && parents.TryGetValue(pid, out int parent); depth++)
            {
                if (traced.Contains(parent))
                    return true;
                pid = parent;
            }

            return false;
        }
    }

    // proc_pid_stat(5): after the name, which may hold anything, come the state and the parent, and as the 22nd field when it began.
    private static (string State, int Parent, ulong StartTicks)? Stat(int pid) =>
        KernelFile.Text($"/proc/{pid}/stat") is { } stat && stat[(stat.LastIndexOf(')') + 1)..]
            .Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var state, var parent, .. { Length: > 17 } rest]
            ? (state, int.Parse(parent, CultureInfo.InvariantCulture), ulong.Parse(rest[17], CultureInfo.InvariantCulture))
            : null;

    private static bool IsNumber(string name) => !name.AsSpan().ContainsAnyExceptInRange('0', '9');

    /// <summary>What a process did, so far as the next look can tell whether it did anything since.</summary>
    /// <param name="Exists">It does.</param>
    /// <param name="Call">The system call that its first thread waits in, where we may know.</param>
    /// <param name="Sleeps">How often its threads, each, gave up a CPU.</param>
    /// <param name="Preemptions">How often it was taken from them.</param>
    /// <param name="Sockets">Inodes of its sockets, where we may know.</param>
    private sealed record ProcessState(bool Exists, string? Call, string Sleeps, string Preemptions, HashSet<long> Sockets)
    {
        public static ProcessState Read(int pid) =>
            new(Directory.Exists($"/proc/{pid}"), CallOf(pid), OfThreads(pid, "voluntary_ctxt_switches:"),
                OfThreads(pid, "nonvoluntary_ctxt_switches:"), SocketsOf(pid));

        /// <summary>What it has done since: nothing, computing, or nothing that is known.</summary>
        public string? Compare(int pid, IReadOnlyList<TracedModule> modules, string[] others)
        {
            if (!Exists)
                return null;
            if (Field($"/proc/{pid}/status", "State:") is ['Z', ..])
                return $"PID {pid} has ended, and its parent has not taken notice (a zombie)";
            if (Field($"/proc/{pid}/status", "State:") is ['T' or 't', ..])
                return $"PID {pid} is stopped (SIGSTOP, or a debugger)";
            if (OfThreads(pid, "voluntary_ctxt_switches:") != Sleeps)
                return null;
            int running = KernelFile.Folders($"/proc/{pid}/task").Take(ThreadsMax)
                .Count(thread => Field($"/proc/{pid}/task/{thread}/status", "State:") is ['R', ..]);
            if (running > 0)
                return Computes(pid, running, modules, others);
            if (OfThreads(pid, "nonvoluntary_ctxt_switches:") != Preemptions)
                return null;
            string threads = Sleeps.Split(' ') is { Length: > 1 } all ? $", and none of its {all.Length} threads has run" : "";
            return Call is null ? $"PID {pid} has slept since the trace began{threads}"
                : $"PID {pid} has been in {Call} since the trace began{threads}";
        }

        private static string Either(string[] names) =>
            names.Length == 1 ? names[0] : $"{string.Join(", ", names[..^1])} or {names[^1]}";

        // Some of its threads have been on a CPU, or waited for one, all the time; the others have slept.
        private string Computes(int pid, int running, IReadOnlyList<TracedModule> modules, string[] others)
        {
            // A call that begins is seen, whatever it comes to: where results are asked for, it may be under way.
            bool seesCalls =
                modules.Any(
                static module => module.FiltersWithoutFlag.Count > 0
                && module.Filters.All(static filter => filter.Keys.Count == 0 || TraceModule.IsOfTask(filter.Dimension)));
            string who = Sleeps.Split(' ').Length is > 1 and var all ? $"{running} of its {all} threads {(running == 1 ? "has" : "have")}"
                : "it has";
            return $"PID {pid} {(seesCalls ? "makes no system calls; " : "computes: ")}{who} been running on a CPU (state R) since the " +
                $"trace began{(others.Length > 0 ? "; see --module " + Either(others) : "")}";
        }

        private static HashSet<long> SocketsOf(int pid)
        {
            const string prefix = "socket:[";
            var sockets = new HashSet<long>();
            try
            {
                foreach (string fd in Directory.EnumerateFiles($"/proc/{pid}/fd").Take(DescriptorsMax))
                {
                    if (new FileInfo(fd).LinkTarget is { } target && target.StartsWith(prefix, StringComparison.Ordinal)
                        && long.TryParse(target[prefix.Length..^1], out long inode))
                        sockets.Add(inode);
                }
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                return sockets;
            }

            return sockets;
        }

        public static string? Field(string file, string name) =>
            KernelFile.Text(file)?.Split('\n').FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?[name.Length..]
                .Trim();

        private static string OfThreads(int pid, string field) =>
            string.Join(' ', KernelFile.Folders($"/proc/{pid}/task").Take(ThreadsMax).Order(StringComparer.Ordinal)
            .Select(thread => $"{thread}:{Field($"/proc/{pid}/task/{thread}/status", field)}"));

        // proc_pid_syscall(5): the number, six arguments, the stack pointer and the program counter; or `running`, or -1 outside of a call.
        private static string? CallOf(int pid)
        {
            if (KernelFile.Text($"/proc/{pid}/syscall")?.Split(' ') is not [var number, _, _, _, _, _, _, var stack, _]
                || !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int call))
                return null;
            // A 32-bit program's stack is below 4 GiB.
            var arch =
                SyscallTable.Native == SyscallArch.X64 && stack.Length <= "0xffffffff".Length ? SyscallArch.I386 : SyscallTable.Native;
            var name = SyscallTable.For(arch).NameUtf8(call);
            return name.IsEmpty ? null : Encoding.UTF8.GetString(name);
        }
    }
}
