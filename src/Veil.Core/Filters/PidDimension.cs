// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Interop;

namespace Veil.Core.Filters;

/// <summary>The thread group id of the running task.</summary>
public sealed class PidDimension : FilterDimension
{
    // PID_MAX_LIMIT of a 64-bit kernel (include/linux/threads.h).
    private const int PidMax = 4 * 1024 * 1024;

    /// <inheritdoc/>
    public override string Name => "pid";

    /// <inheritdoc/>
    public override char? Alias => 'p';

    /// <inheritdoc/>
    public override string ValueName => "PID";

    /// <inheritdoc/>
    public override string Description => "processes with these ids";

    /// <inheritdoc/>
    public override string AcceptedForm => $"a process id from 1 to {PidMax}";

    /// <inheritdoc/>
    public override string? ParseKeys(string text, List<FilterKey> keys)
    {
        if (ParseNumber(text, 1, PidMax, out long pid) is { } wrong)
            return char.IsAsciiLetter(text[0]) ? $"{wrong}; for a process's name: -n {text}" : wrong;
        keys.Add(new((UInt128)pid, text));
        return null;
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(IEnumerable<FilterKey> keys)
    {
        // In a namespace of its own the same numbers are other processes, or none.
        if (!PidNamespace.IsInitial)
            yield break;
        var ids = keys.Select(static key => (int)key.Bits).ToList();
        var absent = ids.Where(static id => !LibC.IsTask(id)).Select(static id => id.ToString()).ToList();
        if (absent.Count > 0)
            yield return $"no process has the id {FewOf(absent)} now";
        var threads = ids.Where(static id => LibC.IsTask(id) && !LibC.IsProcess(id)).Select(static id => id.ToString()).ToList();
        if (threads.Count > 0)
            yield return $"no process but a thread has the id {FewOf(threads)}: --tid filters by thread";
    }
}
