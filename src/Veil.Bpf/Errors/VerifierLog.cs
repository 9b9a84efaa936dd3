// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf;

/// <summary>Finds the verifier's words in what libbpf printed, and in them the lines that matter.</summary>
internal static class VerifierLog
{
    private const string Begin = "-- BEGIN PROG LOAD LOG --";
    private const string End = "-- END PROG LOAD LOG --";
    private const int MaxUsefulLines = 8;

    /// <summary>
    /// The last program load log in libbpf's output, and the program it belongs to; false if there is none or it is empty.
    /// </summary>
    internal static bool TryExtract(string libbpfText, out string program, out string log)
    {
        program = log = "";
        // The last: a program is tried again without a log first, and with it afterwards.
        int begin = libbpfText.LastIndexOf(Begin, StringComparison.Ordinal);
        if (begin < 0)
            return false;
        int start = libbpfText.IndexOf('\n', begin);
        if (start < 0)
            return false;
        start++;
        int end = libbpfText.IndexOf(End, start, StringComparison.Ordinal);
        if (end < 0)
            end = libbpfText.Length;
        // "libbpf: prog 'name': -- BEGIN"
        int lineStart = libbpfText.LastIndexOf('\n', begin) + 1;
        program = Quoted(libbpfText[lineStart..begin]);

        string text = libbpfText[start..end];
        int marker = text.LastIndexOf("libbpf: ", StringComparison.Ordinal);
        if (marker >= 0 && text.AsSpan(marker).TrimEnd().Contains("prog '", StringComparison.Ordinal))
            text = text[..marker];
        if (LastUseful(text) is null)
            return false;
        log = text;
        return true;
    }

    /// <summary>The text between the first pair of single quotes; empty if there is none.</summary>
    internal static string Quoted(string line)
    {
        int open = line.IndexOf('\'', StringComparison.Ordinal);
        int close = open < 0 ? -1 : line.IndexOf('\'', open + 1);
        return close < 0 ? "" : line[(open + 1)..close];
    }

    /// <summary>The verifier's verdict, one line.</summary>
    internal static string Summary(string log) => LastUseful(log) ?? "no reason given";

    /// <summary>The verdict and the lines that lead to it.</summary>
    internal static string UsefulLines(string log)
    {
        var kept = new List<string>(MaxUsefulLines);
        string[] lines = log.Split('\n');
        for (int i = lines.Length - 1; i >= 0 && kept.Count < MaxUsefulLines; i--)
        {
            if (!IsNoise(lines[i]))
                kept.Add(lines[i].TrimEnd());
        }

        kept.Reverse();
        return string.Join('\n', kept);
    }

    /// <summary>
    /// Reasons that libbpf gave for an error that is no verifier's: the last warning, without prefix; null if it said nothing of use.
    /// </summary>
    internal static string? LastWarning(string libbpfText)
    {
        string[] lines = libbpfText.Split('\n');
        for (int i = lines.Length - 1; i >= 0; i--)
        {
            string line = lines[i].Trim();
            if (!line.StartsWith("libbpf: ", StringComparison.Ordinal) || IsEcho(line))
                continue;
            return WithoutProgram(line["libbpf: ".Length..]).Replace("failed to ", "could not ", StringComparison.Ordinal);
        }

        return null;
    }

    /// <summary>The program that libbpf gave up on; empty if it was none.</summary>
    internal static string FailedProgram(string libbpfText)
    {
        foreach (string line in libbpfText.Split('\n'))
        {
            if (line.StartsWith("libbpf: prog '", StringComparison.Ordinal)
                && line.Contains("': failed to load: -", StringComparison.Ordinal))
                return Quoted(line);
        }

        return "";
    }

    /// <summary>
    /// The function or tracepoint that a program wants and the kernel's BTF does not have; empty if that was not the reason.
    /// </summary>
    internal static string MissingBtfTarget(string libbpfText)
    {
        const string reason = "failed to find kernel BTF type ID of ";
        int at = libbpfText.IndexOf(reason, StringComparison.Ordinal);
        return at < 0 ? "" : Quoted(libbpfText[(at + reason.Length)..]);
    }

    /// <summary>"prog 'x': " repeats the exception's subject.</summary>
    private static string WithoutProgram(string line)
    {
        const string separator = "': ";
        int end = line.StartsWith("prog '", StringComparison.Ordinal) ? line.IndexOf(separator, StringComparison.Ordinal) : -1;
        return end < 0 ? line : line[(end + separator.Length)..];
    }

    private static string? LastUseful(string log)
    {
        string[] lines = log.Split('\n');
        for (int i = lines.Length - 1; i >= 0; i--)
        {
            if (!IsNoise(lines[i]))
                return lines[i].Trim();
        }

        return null;
    }

    private static bool IsNoise(string line)
    {
        var text = line.AsSpan().Trim();
        return text.IsEmpty
            || text.StartsWith("libbpf: ", StringComparison.Ordinal)
            || text.StartsWith("verification time ", StringComparison.Ordinal)
            || text.StartsWith("stack depth ", StringComparison.Ordinal)
            || (text.StartsWith("processed ", StringComparison.Ordinal) && text.Contains(" insns ", StringComparison.Ordinal));
    }

    /// <summary>Lines with which libbpf repeats the return code that the exception carries anyway.</summary>
    private static bool IsEcho(string line) =>
        line.Contains("failed to load object", StringComparison.Ordinal)
        || line.Contains("': failed to load: -", StringComparison.Ordinal)
        || line.Contains("BPF program load failed:", StringComparison.Ordinal)
        || line.Contains("failed to prepare load attributes", StringComparison.Ordinal)
        || line.Contains("PROG LOAD LOG --", StringComparison.Ordinal)
        || line.Contains("try raising 'ulimit -l'", StringComparison.Ordinal);
}
