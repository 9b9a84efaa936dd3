namespace Veil.Core.Session;

/// <summary>What a trace did: the ledger that nothing may be missing from.</summary>
public sealed class SessionSummary
{
    private readonly SortedDictionary<string, LossCount> _lost = new(StringComparer.Ordinal);

    /// <summary>Events that the output took.</summary>
    public ulong Delivered { get; internal set; }

    /// <summary>Events that were counted in the kernel; nothing where they were sent.</summary>
    public ulong? Counted { get; internal set; }

    /// <summary>Events that a filter in userspace dropped.</summary>
    public ulong Dropped { get; internal set; }

    /// <summary>Events that came while the trace was paused.</summary>
    public ulong DroppedPaused { get; internal set; }

    /// <summary>From attaching to the last event.</summary>
    public TimeSpan Duration { get; internal set; }

    /// <summary>Events lost, by <c>module: cause</c>.</summary>
    public IReadOnlyDictionary<string, LossCount> Lost => _lost;

    /// <summary>What ended the trace before it was asked to end.</summary>
    public Sinks.OutputException? Failure { get; internal set; }

    /// <summary>All losses together.</summary>
    public ulong LostTotal
    {
        get
        {
            ulong total = 0;
            foreach (var lost in _lost.Values)
                total += lost.Count;
            return total;
        }
    }

    /// <summary>The line for people, and one for each cause of loss.</summary>
    public IEnumerable<string> Lines()
    {
        double seconds = Math.Max(Duration.TotalSeconds, 0.001);
        ulong events = Counted ?? Delivered;
        yield return $"{events} {(events == 1 ? "event" : "events")} {(Counted is null ? "delivered" : "counted")} in {Duration.TotalSeconds:F2} s ({events / seconds:F0}/s), {LostTotal} lost{(Dropped > 0 ? $", {Dropped} dropped by --file" : "")}{(DroppedPaused > 0 ? $", {DroppedPaused} dropped while paused" : "")}";
        foreach (var (cause, lost) in _lost)
            yield return $"lost {lost.Count}: {cause}{lost.UsersText}{Hint(cause)}";
    }

    /// <summary>The causes of one module so far. From any thread.</summary>
    internal IReadOnlyDictionary<string, LossCount> LostOf(string module)
    {
        string prefix = module + ": ";
        lock (_lost)
            return _lost.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(entry => entry.Key[prefix.Length..], static entry => entry.Value);
    }

    internal void AddLost(string module, string cause, LossCount lost)
    {
        string key = $"{module}: {cause}";
        lock (_lost)
        {
            var before = _lost.TryGetValue(key, out var found) ? found : new LossCount(0, []);
            _lost[key] = before.Plus(lost.Count, lost.Users);
        }
    }

    private static string Hint(string key) => key[(key.IndexOf(": ", StringComparison.Ordinal) + 2)..] switch
    {
        "ring_full" => " (events came faster than the output took them: filter more, write to a file, or give --buffer a larger size)",
        "map_full" => " (more calls under way at once than can be remembered: filter more)",
        "missed_probe" => " (the kernel skipped the program, because one was running on that CPU already; whether a filter would have left the event out is not known)",
        "read_failed" => " (memory that the event needs could not be read)",
        "not_written" => " (the output ended before it took them)",
        _ => "",
    };
}
