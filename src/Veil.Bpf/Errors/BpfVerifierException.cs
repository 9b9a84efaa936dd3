// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf;

/// <summary>The kernel's verifier refused a program.</summary>
public sealed class BpfVerifierException : BpfException
{
    /// <summary>Creates the error from the verifier's own text.</summary>
    /// <param name="program">The program's name.</param>
    /// <param name="errno">The positive error number.</param>
    /// <param name="fullLog">All that the verifier printed.</param>
    public BpfVerifierException(string program, int errno, string fullLog)
        : base("loading program", program, "refused by the verifier: " + VerifierLog.Summary(fullLog), errno)
    {
        Log = VerifierLog.UsefulLines(fullLog);
        FullLog = fullLog;
    }

    /// <summary>
    /// The last useful lines, at most eight: the refusal and the instructions before it, without the verifier's statistics.
    /// </summary>
    public string Log { get; }

    /// <summary>All that the verifier printed; may be megabytes.</summary>
    public string FullLog { get; }
}
