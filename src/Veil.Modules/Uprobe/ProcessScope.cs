// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Bpf.Interop;
using Veil.Core.Filters;
using Veil.Core.Symbols;
using Veil.Core.Text;

namespace Veil.Modules.Uprobe;

/// <summary>
/// The processes that <c>--pid</c> or <c>--tid</c> allows, and which files they mean by a path. What runs in a process need not be what the
/// path leads to: it may
/// have its own root folder, and files are replaced while they run.
/// </summary>
internal sealed class ProcessScope
{
    private const int NamedInWarnings = 3;
    private const ulong InitialPidNamespace = 0xEFFFFFFC; // PROC_PID_INIT_INO of include/linux/proc_ns.h

    private readonly List<Process> _processes = [];
    private readonly List<int> _unreadable = [];

    /// <summary>Looks at the processes that filters allow; none where the kernel's ids are not those of our <c>/proc</c>.</summary>
    public static ProcessScope Of(IReadOnlyList<FilterExpression> filters)
    {
        var scope = new ProcessScope();
        if (FileIdentity.Of("/proc/self/ns/pid") is not { Inode: InitialPidNamespace })
            return scope;
        // Threads are fewer than their processes: where both are given, an event needs both.
        var processes = Allowed(filters, "tid").Select(ProcessOf).Distinct().ToList();
        foreach (int id in processes.Count > 0 ? processes : Allowed(filters, "pid"))
            scope.Add(id);
        return scope;
    }

    /// <summary>Does a path or a bare name lead to a file, here or in one of the processes?</summary>
    public bool Knows(string path)
    {
        string full = LibraryPath.Resolve(path);
        return Path.Exists(full) || _processes.Exists(process => (process.Root is not null && Path.Exists(process.Root + full))
            || process.Mapped.Exists(file => LibraryPath.IsBare(path) ? file.HasShortName(path) : file.IsNamed([full])));
    }

    /// <summary>The files that a path means: those that the processes run, else the one that it leads to.</summary>
    /// <param name="path">A path, or the bare name of a program or library.</param>
    /// <param name="warnings">Takes what the user should know.</param>
    /// <returns>The absolute path to show, and at least one file.</returns>
    /// <exception cref="ElfException">No such file can be used.</exception>
    public (string Path, List<ProbeFile> Files) Find(string path, List<string> warnings)
    {
        string full = FullPath(path);
        var files = new List<ProbeFile>();
        var byRoot = new Dictionary<string, ProbeFile?>(StringComparer.Ordinal);
        var without = new List<int>();
        foreach (var process in _processes)
        {
            if (!byRoot.TryGetValue(process.Root ?? "", out var there))
                byRoot[process.Root ?? ""] = there = TryOpen(full, process.Root);
            string[] names = there is null ? [full] : [full, RealPath(there)];
            var mapped = process.Mapped.FindAll(file => (there is not null && file.Is(there.Identity)) || file.IsNamed(names));
            foreach (var file in mapped)
            {
                if (there is not null && (!file.IsDeleted || file.Is(there.Identity)))
                    files.Add(there);
                else
                    AddReplaced(files, file, warnings);
            }

            if (mapped.Count > 0)
                continue;
            if (there is not null)
                files.Add(there);
            without.Add(process.Id);
        }

        if (files.Count == 0)
            files.Add(ProbeFile.Open(full, full));
        if (without.Count > 0)
            warnings.Add(
                $"{NamesHave(without)} not mapped {Escaping.ForMessage(full)}; nothing will be seen until " +
                $"{(without.Count == 1 ? "it does" : "they do")}");
        if (_unreadable.Count > 0)
            warnings.Add(
                $"what {NamesHave(_unreadable)} mapped cannot be read (/proc/PID/maps): if that is another file than " +
                $"{Escaping.ForMessage(full)} now, nothing will be seen");
        return (full, [.. files.Distinct()]);
    }

    private string FullPath(string path)
    {
        var mapped = LibraryPath.IsBare(path) ? _processes.SelectMany(static process => process.Mapped)
            .FirstOrDefault(file => file.HasShortName(path)) : null;
        return mapped?.Name ?? LibraryPath.Resolve(path);
    }

    private static IEnumerable<int> Allowed(IReadOnlyList<FilterExpression> filters, string dimension) => filters
        .Where(filter => filter.Dimension.Name == dimension).SelectMany(static filter => filter.Bits)
        .Where(static pair => pair.Value.HasFlag(FilterBits.Allow)).Select(static pair => (int)pair.Key.Bits);

    // proc(5): every thread has a folder below /proc, though only processes are listed there.
    private static int ProcessOf(int thread)
    {
        const string field = "Tgid:";
        string? line =
            Array.Find(KernelFile.Lines($"/proc/{thread}/status"), static line => line.StartsWith(field, StringComparison.Ordinal));
        return int.TryParse(
            line.AsSpan(Math.Min(field.Length, line?.Length ?? 0)), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture,
            out int process) ? process : thread;
    }

    private void Add(int id)
    {
        if (!Directory.Exists($"/proc/{id}"))
            return;
        try
        {
            var mapped = MappedFile.Of(id);
            // None: a kernel thread, or one that just ended.
            if (mapped.Count > 0)
                _processes.Add(new Process(id, HasOurRoot(id) ? null : $"/proc/{id}/root", mapped));
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            _unreadable.Add(id);
        }
    }

    private static bool HasOurRoot(int id) =>
        FileIdentity.Of($"/proc/{id}/root") is not { } root
            || (root == FileIdentity.Of("/") && FileIdentity.Of($"/proc/{id}/ns/mnt") == FileIdentity.Of("/proc/self/ns/mnt"));

    private static void AddReplaced(List<ProbeFile> files, MappedFile mapped, List<string> warnings)
    {
        try
        {
            files.Add(ProbeFile.Open(mapped.Link, mapped.Name));
        }
        catch (ElfException wrong)
        {
            warnings.Add(
                $"process {mapped.ProcessId} runs {Escaping.ForMessage(mapped.Name)} as it was before it was replaced; its calls are not " +
                $"seen: that file {wrong.Message} (it needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE)");
        }
    }

    private static ProbeFile? TryOpen(string path, string? root)
    {
        try
        {
            return ProbeFile.Open(path, path, root);
        }
        catch (ElfException)
        {
            return null;
        }
    }

    private static string RealPath(ProbeFile file) =>
        File.ResolveLinkTarget($"/proc/self/fd/{file.Handle.DangerousGetHandle()}", returnFinalTarget: false)?.FullName ?? file.Name;

    private static string NamesHave(List<int> ids) => ids.Count == 1 ? $"process {ids[0]} has" : $"processes {Listed(ids)} have";

    private static string Listed(List<int> ids) =>
        string.Join(", ", ids.Take(NamedInWarnings)) + (ids.Count > NamedInWarnings ? $" and {ids.Count - NamedInWarnings} more" : "");

    /// <summary>A process.</summary>
    /// <param name="Id">Its id.</param>
    /// <param name="Root">Its root folder, where it is not ours.</param>
    /// <param name="Mapped">What it runs.</param>
    private sealed record Process(int Id, string? Root, List<MappedFile> Mapped);
}
