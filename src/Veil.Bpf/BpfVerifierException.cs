namespace Veil.Bpf;

/// <summary>The kernel's verifier refused a program.</summary>
public sealed class BpfVerifierException : BpfException
{
    private const int UsefulLines = 3;

    /// <summary>Makes the exception.</summary>
    /// <param name="subject">The program or object.</param>
    /// <param name="errno">The positive error number.</param>
    /// <param name="fullLog">Everything that the verifier said.</param>
    public BpfVerifierException(string subject, int errno, string fullLog)
        : base("verifying", subject, errno, string.Join(" / ", LastUseful(fullLog)))
    {
        FullLog = fullLog;
        Log = LastUseful(fullLog);
    }

    /// <summary>The last lines that say something: the instruction and why it was refused.</summary>
    public IReadOnlyList<string> Log { get; }

    /// <summary>Everything that the verifier said.</summary>
    public string FullLog { get; }

    // The verdict stands at the end, before the statistics.
    internal static IReadOnlyList<string> LastUseful(string log)
    {
        var useful = new List<string>();
        foreach (string raw in log.Split('\n'))
        {
            string line = raw.Trim();
            if (line.Length == 0
                || line.StartsWith("processed ", StringComparison.Ordinal)
                || line.StartsWith("verification time", StringComparison.Ordinal)
                || line.StartsWith("stack depth", StringComparison.Ordinal)
                || line.StartsWith("-- ", StringComparison.Ordinal)
                || line.StartsWith("libbpf:", StringComparison.Ordinal))
            {
                continue;
            }

            useful.Add(line);
        }

        return useful.Count <= UsefulLines ? useful : useful.GetRange(useful.Count - UsefulLines, UsefulLines);
    }
}
