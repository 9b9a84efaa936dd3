// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Symbols;

namespace Veil.Core.Stacks;

/// <summary>How many of the stacks in user space that were named end before the function that a program or a thread begins with.</summary>
public static class StackEnds
{
    private const int TooMany = 10; // one of so many

    private static readonly HashSet<string> s_first = new(StringComparer.Ordinal)
    {
        "_start", "main", "__libc_start_main", "__libc_start_call_main", "start_thread", "clone", "clone3", "__clone", "__clone3", "thread_start",
        "_dl_start", "_dl_start_user", "runtime.goexit", "runtime.mstart", "runtime.mcall", "runtime.rt0_go",
    };

    private static int s_early;
    private static int s_all;

    /// <summary>What to tell the user; nothing where few do.</summary>
    public static string? Warning => s_early * TooMany < s_all || s_early == 0 ? null
        : $"warning: {s_early} of {s_all} stacks in user space end early, in code without frame pointers; --unwind dwarf finds the callers there";

    /// <summary>Takes one that the kernel walked to its end.</summary>
    internal static void Note(IReadOnlyList<StackFrame> frames)
    {
        if (frames.Count == 0)
            return;
        Interlocked.Increment(ref s_all);
        if (IsEarly(frames))
            Interlocked.Increment(ref s_early);
    }

    /// <summary>Does it end early, as far as that can be told by its names?</summary>
    internal static bool IsEarly(IReadOnlyList<StackFrame> frames)
    {
        var outermost = frames[^1];
        if (outermost.Symbol is { } symbol && s_first.Any(first => symbol == first || symbol.StartsWith(first + "_impl", StringComparison.Ordinal)))
            return false;
        // Nothing is mapped there, while the files of others are known.
        if (outermost is { Symbol: null, File: null })
            return frames.Any(static frame => frame.File is not null);
        // What main and the functions of threads return to has no name in a C library without symbols.
        bool isLibrary = Path.GetFileName(outermost.File) is { } file
            && (file.StartsWith("libc.", StringComparison.Ordinal) || file.StartsWith("libc-", StringComparison.Ordinal)
                || file.StartsWith("ld-", StringComparison.Ordinal));
        return isLibrary ? frames.Count == 1 : outermost.Symbol is not null;
    }
}
