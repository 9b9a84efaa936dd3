namespace Veil.Bpf;

/// <summary>The running kernel lacks a feature: too old, or built without it.</summary>
public sealed class UnsupportedByKernelException : BpfException
{
    /// <summary>Makes the exception.</summary>
    /// <param name="operation">What was tried.</param>
    /// <param name="subject">What it was tried on.</param>
    /// <param name="errno">The positive error number.</param>
    /// <param name="feature">What the kernel lacks.</param>
    /// <param name="minimumVersion">The first kernel that can have it, or none where it depends on the build alone.</param>
    public UnsupportedByKernelException(string operation, string subject, int errno, string feature, Version? minimumVersion)
        : base(operation, subject, errno, $"this kernel lacks {feature}{(minimumVersion is null ? "" : $", which needs Linux {minimumVersion} or later")}")
    {
        Feature = feature;
        MinimumVersion = minimumVersion;
    }

    /// <summary>What the kernel lacks.</summary>
    public string Feature { get; }

    /// <summary>The first kernel that can have it.</summary>
    public Version? MinimumVersion { get; }
}
