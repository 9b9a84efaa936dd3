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
    public override IEnumerable<string> Warnings(IEnumerable<FilterKey> keys) =>
        Listed(keys.Where(static key => ProcessOf(key) is null)) is { } missing ? [$"no thread has the id {missing} now"] : [];

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

    /// <summary>The first few keys for a message, nothing where there is none.</summary>
    internal static string? Listed(IEnumerable<FilterKey> keys)
    {
        const int most = 5;
        var all = keys.Select(static key => key.Text).ToList();
        string first = string.Join(", ", all.Take(most));
        return all.Count switch { 0 => null, <= most => first, _ => $"{first} and {all.Count - most} more" };
    }
}
