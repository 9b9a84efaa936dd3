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
            return wrong;
        keys.Add(new((UInt128)tid, text));
        return null;
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(IEnumerable<FilterKey> keys)
    {
        var absent = keys.Where(static key => ProcessOf(key) is null).Select(static key => key.Bits.ToString()).ToList();
        return absent.Count == 0 ? [] : [$"no thread has the id {FewOf(absent)} now"];
    }

    /// <summary>The process of a thread, nothing where there is no such thread. Every thread is found in /proc, though only leaders are listed.</summary>
    internal static string? ProcessOf(FilterKey thread)
    {
        const string field = "Tgid:";
        try
        {
            return File.ReadLines($"/proc/{thread.Bits}/status").FirstOrDefault(static line => line.StartsWith(field, StringComparison.Ordinal))?[field.Length..].Trim();
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
