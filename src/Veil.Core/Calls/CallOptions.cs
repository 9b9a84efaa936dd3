// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Calls;

/// <summary>How calls are shown.</summary>
/// <param name="IsJson">JSON and not text.</param>
/// <param name="StringSize">The most bytes of a string or buffer that are shown (<c>--string-size</c>).</param>
/// <param name="Descriptors">How much is said of descriptors (<c>--fds</c>).</param>
/// <param name="CountedBy">The names of the arguments that calls are counted by, each at its place among the fields that are.</param>
/// <param name="WithFolder">The folder of relative paths is read, though it is not shown.</param>
public sealed record CallOptions(
    bool IsJson = false, int StringSize = CallOptions.StringSizeDefault, DescriptorDetail Descriptors = DescriptorDetail.All,
    IReadOnlyList<string?>? CountedBy = null, bool WithFolder = false)
{
    private static CallOptions s_current = new();

    /// <summary>Those of this trace: what the kernel's side reads and what is shown go together, so there is one for all outputs.</summary>
    public static CallOptions Current
    {
        get => s_current;
        set
        {
            s_current = value;
            CurrentJson = value with { IsJson = true };
        }
    }

    /// <summary>The same for JSON.</summary>
    public static CallOptions CurrentJson { get; private set; } = new(IsJson: true);

    /// <summary>As strace has it.</summary>
    public const int StringSizeDefault = 32;

    /// <summary>The most that can be asked for.</summary>
    public const int StringSizeMax = 4096;

    /// <summary>The most elements of an array that are shown.</summary>
    public const int ElementsMax = 32;
}

/// <summary>How much is said of descriptors.</summary>
public enum DescriptorDetail
{
    /// <summary>Numbers.</summary>
    None,

    /// <summary>What strace's <c>-y</c> says.</summary>
    Path,

    /// <summary>What strace's <c>-yy</c> says: of sockets both ends.</summary>
    All,
}
