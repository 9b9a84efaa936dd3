// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace Veil.Kernel.Tests;

/// <summary>
/// What <c>strace -f -o FILE</c> wrote, or <c>veil --output strace</c>: the lines of each thread, so that two runs of a program can be
/// compared.
/// A thread is named by how it came to be (<c>0.2</c> is the second child of the first thread), and what differs from run to run is masked.
/// </summary>
internal sealed partial class StraceFile
{
    private const int PatienceMs = 10_000;

    private readonly Dictionary<string, List<string>> _threads;

    private StraceFile(Dictionary<string, List<string>> threads) => _threads = threads;

    /// <summary>Is there a strace of sid?</summary>
    public static bool Exists => File.Exists(Program);

    internal static string Program => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME")
            ?? Path.Combine(Environment.GetEnvironmentVariable("HOME") ?? "/root", ".cache"), "veil/peers/strace");

    /// <summary>Runs strace with some arguments, to its end.</summary>
    public static void Run(params string[] arguments)
    {
        using var strace =
            Process.Start(
            new ProcessStartInfo(
            Program, arguments)
            { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        strace.StandardInput.Close();
        var errors = strace.StandardError.ReadToEndAsync();
        strace.StandardOutput.ReadToEnd();
        strace.WaitForExit();
        errors.Wait();
    }

    /// <summary>All lines, those of each thread in their order.</summary>
    public IEnumerable<(string Thread, string Line)> Lines =>
        _threads.SelectMany(static thread => thread.Value.Select(line => (thread.Key, line)));

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="program">What the first thread executes: what it did before is left out.</param>
    public static StraceFile Read(string path, string program)
    {
        var byPid = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        var unfinished = new Dictionary<string, string>(StringComparer.Ordinal);
        string? first = null;
        bool hasBegun = false;
        foreach (string line in File.ReadLines(path, Encoding.Latin1))
        {
            var (pid, text) =
                line.IndexOf(' ', StringComparison.Ordinal) is > 0 and var blank ? (line[..blank], line[blank..].TrimStart()) : ("", line);
            first ??= pid;
            if (Resumed().Match(text) is { Success: true } resumed && unfinished.Remove(pid, out string? head))
                text = head + text[resumed.Length..];
            else if (text.EndsWith(" <unfinished ...>", StringComparison.Ordinal))
            {
                unfinished[pid] = text[..^" <unfinished ...>".Length];
                continue;
            }

            hasBegun |= text.StartsWith($"execve(\"{program}\"", StringComparison.Ordinal);
            if (!hasBegun)
                continue;
            if (!byPid.TryGetValue(pid, out var lines))
                byPid.Add(pid, lines = []);
            lines.Add(BeforeResult().Replace(text, ") = ", 1));
        }

        foreach (var (pid, head) in unfinished)
        {
            if (byPid.TryGetValue(pid, out var lines))
                lines.Add(head + " <unfinished ...>");
        }

        return new StraceFile(Named(byPid, first ?? ""));
    }

    /// <summary>The same with each line changed, or left out.</summary>
    public StraceFile Select(Func<string, string?> change) =>
        new(_threads.ToDictionary(static thread => thread.Key, thread => thread.Value.Select(change).OfType<string>().ToList()));

    /// <summary>How many lines are the same in the other, thread by thread, in their order; and those that are not, with - and +.</summary>
    public (int Equal, int All, List<string> Differences) Compare(StraceFile other)
    {
        int equal = 0, all = 0;
        var differences = new List<string>();
        foreach (string thread in _threads.Keys.Union(other._threads.Keys))
        {
            var (here, there) = (_threads.GetValueOrDefault(thread, []), other._threads.GetValueOrDefault(thread, []));
            equal += Match(here, there, thread, differences);
            all += Math.Max(here.Count, there.Count);
        }

        return (equal, all, differences);
    }

    // Children by the order in which their parent made them, from the lines that say so.
    private static Dictionary<string, List<string>> Named(Dictionary<string, List<string>> byPid, string first)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        Name(first, "0");
        foreach (string pid in byPid.Keys.Where(pid => !names.ContainsKey(pid)).ToList())
            Name(pid, "?" + names.Count);
        var threads = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var (pid, lines) in byPid)
            threads[names[pid]] = lines.ConvertAll(line => Masked(line, names));
        return threads;

        void Name(string pid, string name)
        {
            if (!byPid.TryGetValue(pid, out var lines) || !names.TryAdd(pid, name))
                return;
            int children = 0;
            foreach (string line in lines)
            {
                if (Child().Match(line) is { Success: true } child)
                    Name(child.Groups["pid"].Value, $"{name}.{++children}");
            }
        }
    }

    private static string Masked(string line, Dictionary<string, string> names)
    {
        line = Folder().Replace(line, "FOLDER");
        line = Address().Replace(line, "0xADDRESS");
        line = Random().Replace(line, "${call}\"RANDOM\"");
        line = Temporary().Replace(line, "TEMPORARY");
        line = Times().Replace(line, "${field}=TIME");
        line = Host().Replace(line, "nodename");
        line = Date().Replace(line, "DATE");
        line = Port().Replace(line, "PORT");
        line = Sender().Replace(line, "OTHER");
        line = Clock().Replace(line, "CLOCK");
        line = Ipc().Replace(line, "ID");
        line = Parent().Replace(line, "PARENT");
        line = Machine().Replace(line, "${call}MACHINE) =");
        return Number().Replace(line, number => names.TryGetValue(number.Value, out string? name) ? $"<{name}>" : number.Value);
    }

    // The longest common subsequence, after what is the same at both ends.
    private static int Match(List<string> here, List<string> there, string thread, List<string> differences)
    {
        int start = 0, end = 0;
        while (start < here.Count && start < there.Count && here[start] == there[start])
            start++;
        while (end < here.Count - start && end < there.Count - start && here[^(end + 1)] == there[^(end + 1)])
            end++;
        int rows = here.Count - start - end, columns = there.Count - start - end;
        var longest = new int[rows + 1, columns + 1];
        for (int row = rows - 1; row >= 0; row--)
        {
            for (int column = columns - 1; column >= 0; column--)
                longest[row, column] = here[start + row] == there[start + column] ? longest[row + 1, column + 1] + 1
                    : Math.Max(longest[row + 1, column], longest[row, column + 1]);
        }

        int i = 0, j = 0;
        while (i < rows || j < columns)
        {
            if (i < rows && j < columns && here[start + i] == there[start + j])
                (i, j) = (i + 1, j + 1);
            else if (j == columns || (i < rows && longest[i + 1, j] >= longest[i, j + 1]))
                differences.Add($"{thread} - {here[start + i++]}");
            else
                differences.Add($"{thread} + {there[start + j++]}");
        }

        return start + end + longest[0, 0];
    }

    [GeneratedRegex(@"^<\.\.\. \w+ resumed>", RegexOptions.None, PatienceMs)]
    private static partial Regex Resumed();

    [GeneratedRegex(@"\)\s+= ", RegexOptions.None, PatienceMs)]
    private static partial Regex BeforeResult();

    [GeneratedRegex(@"^(?:clone3?|v?fork)\(.* = (?<pid>\d+)$", RegexOptions.None, PatienceMs)]
    private static partial Regex Child();

    [GeneratedRegex("/tmp/veil-oracle-[A-Za-z0-9]+", RegexOptions.None, PatienceMs)]
    private static partial Regex Folder();

    [GeneratedRegex("nodename=\"[^\"]*\"", RegexOptions.None, PatienceMs)]
    private static partial Regex Host();

    // One that the kernel chose.
    [GeneratedRegex(@"(?<=htons\()\d{5}(?=\))", RegexOptions.None, PatienceMs)]
    private static partial Regex Port();

    // Who ends a server from outside.
    [GeneratedRegex(@"(?<=^--- SIGQUIT .*si_pid=)\d+(?=, si_uid=0)", RegexOptions.None, PatienceMs)]
    private static partial Regex Sender();

    // As redis writes it.
    [GeneratedRegex(@"\d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d{3}", RegexOptions.None, PatienceMs)]
    private static partial Regex Clock();

    // Of shared memory, queues and semaphores, and of a session's keys.
    [GeneratedRegex(
        @"(?<=^(?:shm|msg|sem)(?:get\(.*\) = |(?:at|ctl|snd|rcv|op|timedop)\())\d+|(?<=^keyctl\(KEYCTL_JOIN_SESSION_KEYRING.*= )\d+",
        RegexOptions.None, PatienceMs)]
    private static partial Regex Ipc();

    [GeneratedRegex("0x[0-9a-f]{6,}", RegexOptions.None, PatienceMs)]
    private static partial Regex Address();

    [GeneratedRegex("^(?<call>getrandom\\()\"(?:[^\"\\\\]|\\\\.)*\"", RegexOptions.None, PatienceMs)]
    private static partial Regex Random();

    [GeneratedRegex("(?<=/)cc[A-Za-z0-9]{6}", RegexOptions.None, PatienceMs)]
    private static partial Regex Temporary();

    [GeneratedRegex(
        @"\b(?<field>(?:shm|msg|sem)_[adcrso]time|f_b?f?(?:free|avail)|si_utime|si_stime|tv_sec|tv_usec|tv_nsec)=\d+(?: /\* [0-9.]+ s \*/)?",
        RegexOptions.None, PatienceMs)]
    private static partial Regex Times();

    [GeneratedRegex(@"/\* \d{4}-\d\d-\d\dT[0-9:.+-]+ \*/", RegexOptions.None, PatienceMs)]
    private static partial Regex Date();

    [GeneratedRegex(@"^(?<call>sysinfo\().*\) =", RegexOptions.None, PatienceMs)]
    private static partial Regex Machine();

    [GeneratedRegex(@"(?<=^getppid\(\) = )\d+", RegexOptions.None, PatienceMs)]
    private static partial Regex Parent();

    [GeneratedRegex(@"(?<![\w.])\d{2,7}(?![\w.])", RegexOptions.None, PatienceMs)]
    private static partial Regex Number();
}
