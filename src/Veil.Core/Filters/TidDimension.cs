// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Interop;

namespace Veil.Core.Filters;

/// <summary>The thread id of the running task.</summary>
public sealed class TidDimension : FilterDimension
{
    // PID_MAX_LIMIT of a 64-bit kernel (include/linux/threads.h): threads and processes share the numbers.
    private const int TidMax = 4 * 1024 * 1024;

    /// <inheritdoc/>
    public override string Name => "tid";

    /// <inheritdoc/>
    public override string ValueName => "TID";

    /// <inheritdoc/>
    public override string Description => "threads with these ids";

    /// <inheritdoc/>
    public override string AcceptedForm => $"a thread id from 1 to {TidMax}";

    /// <inheritdoc/>
    public override string? ParseKeys(string text, List<FilterKey> keys)
    {
        if (ParseNumber(text, 1, TidMax, out long tid) is { } wrong)
            return char.IsAsciiLetter(text[0]) ? $"{wrong}; for a thread's name: -n {text}" : wrong;
        keys.Add(new((UInt128)tid, text));
        return null;
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(IEnumerable<FilterKey> keys)
    {
        if (!PidNamespace.IsInitial)
            return [];
        var absent =
            keys.Select(static key => (int)key.Bits).Where(static id => !LibC.IsTask(id)).Select(static id => id.ToString()).ToList();
        return absent.Count == 0 ? [] : [$"no thread has the id {FewOf(absent)} now"];
    }
}
