// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf;

/// <summary>The running kernel lacks something: it is too old, or was built or locked down without it.</summary>
public sealed class UnsupportedByKernelException : BpfException
{
    /// <summary>Creates the error.</summary>
    /// <param name="operation">What was done.</param>
    /// <param name="subject">To what; may be empty.</param>
    /// <param name="feature">What the kernel lacks, as in "kprobes (CONFIG_KPROBES)".</param>
    /// <param name="minimumVersion">The first kernel that has it; null if not known.</param>
    /// <param name="errno">The positive error number, 0 if none belongs to it.</param>
    public UnsupportedByKernelException(string operation, string subject, string feature, Version? minimumVersion, int errno = 0)
        : base(operation, subject, $"this kernel does not offer {feature}", errno, HintFor(minimumVersion))
    {
        Feature = feature;
        MinimumVersion = minimumVersion;
    }

    /// <summary>What the kernel lacks.</summary>
    public string Feature { get; }

    /// <summary>The first kernel release that has it (it may still be switched off there); null if not known.</summary>
    public Version? MinimumVersion { get; }

    private static string? HintFor(Version? minimum)
    {
        if (minimum is null)
            return null;
        var running = KernelFeatures.KernelVersion;
        return running < minimum
            ? $"it came with Linux {minimum}, this is {running}"
            : $"it came with Linux {minimum}; in this {running} it is switched off by the configuration or locked down";
    }
}
