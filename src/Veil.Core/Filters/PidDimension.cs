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
            return wrong;
        keys.Add(new((UInt128)pid, text));
        return null;
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(IEnumerable<FilterKey> keys)
    {
        var absent = keys.Where(static key => !Directory.Exists($"/proc/{key.Bits}")).Select(static key => key.Bits.ToString()).ToList();
        if (absent.Count > 0)
            yield return $"no process has the id {FewOf(absent)} now";
        // A thread that is no leader has a folder in /proc too, and no event has its id as pid.
        var threads = keys.Where(static key => TidDimension.ProcessOf(key) is { } process && process != key.Bits.ToString()).Select(static key => key.Bits.ToString()).ToList();
        if (threads.Count > 0)
            yield return $"no process but a thread has the id {FewOf(threads)}: --tid filters by thread";
    }
}
