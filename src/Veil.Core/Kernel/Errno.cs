namespace Veil.Core.Kernel;

/// <summary>Names of errors, the kernel's own internal ones among them: a tracer sees those before userspace does.</summary>
public static partial class Errno
{
    /// <summary>The name of an error, empty where there is none.</summary>
    /// <param name="errno">The positive number.</param>
    public static ReadOnlySpan<byte> NameUtf8(int errno)
    {
        var offsets = AllOffsets;
        return (uint)errno < (uint)(offsets.Length - 1) ? AllNames[offsets[errno]..offsets[errno + 1]] : default;
    }
}
