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
    public override IEnumerable<string> Warnings(IEnumerable<FilterKey> keys) =>
        (TidDimension.Listed(keys.Where(static key => !Directory.Exists($"/proc/{key.Bits}"))) is { } absent ? new[] { $"no process has the id {absent} now" } : [])
            .Concat(ThreadWarnings(keys));

    // A thread that is no leader has a folder in /proc too, and no event has its id as pid.
    private static IEnumerable<string> ThreadWarnings(IEnumerable<FilterKey> keys) =>
        TidDimension.Listed(keys.Where(static key => TidDimension.ProcessOf(key) is { } process && process != key.Bits.ToString())) is { } threads
            ? [$"no process but a thread has the id {threads}: --tid filters by thread"]
            : [];
}
