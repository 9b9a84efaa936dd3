// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Bpf;
using Veil.Core;
using Veil.Core.Control;
using Veil.Core.Export;
using Veil.Core.Filters;
using Veil.Core.Service;
using Veil.Core.Session;
using Veil.Core.Waiting;

namespace Veil.Cli.Service;

/// <summary>This process traces for a <see cref="ServiceSupervisor"/>, which tells it over a channel what to do. It ends with it.</summary>
internal sealed class ServiceWorker : IDisposable
{
    /// <summary>The first word of its command line; then follow whether there are sockets for control and for metrics.</summary>
    public const string Hidden = "__service";

    private const int ChannelFd = 3;
    private const int GoMs = 30_000;

    private readonly ServiceChannel _channel = new(ChannelFd);
    private readonly int _control;
    private readonly int _metrics;

    private ServiceWorker(int control, int metrics) => (_control, _metrics) = (control, metrics);

    /// <summary>It; nothing in any other process.</summary>
    public static ServiceWorker? Current { get; private set; }

    /// <summary>The command line of one.</summary>
    /// <param name="hasControl">Its descriptor 4 listens for commands.</param>
    /// <param name="hasMetrics">Its descriptor 5 listens for scrapers.</param>
    /// <param name="profile">The profile, or none.</param>
    public static string[] CommandLineOf(bool hasControl, bool hasMetrics, string? profile) =>
    [
        "veil", Hidden, hasControl ? "control" : "-", hasMetrics ? "metrics" : "-", "--config=-",
        .. profile is null ? Array.Empty<string>() : ["--profile=" + profile],
    ];

    /// <summary>Becomes one.</summary>
    /// <param name="words">The command line behind <see cref="Hidden"/>.</param>
    /// <returns>The rest of it.</returns>
    public static string[] Become(string[] words)
    {
        if (words is not [("control" or "-") and var control, ("metrics" or "-") and var metrics, .. var rest])
            throw new UsageException($"{Hidden}: is for veil itself, as a service");
        Current = new ServiceWorker(control == "-" ? -1 : ChannelFd + 1, metrics == "-" ? -1 : ChannelFd + 2);
        return rest;
    }

    /// <summary>The control socket that was handed over, or nothing.</summary>
    public ControlServer? TakeControl(string? group) => _control < 0 ? null : ControlServer.Inherit(_control, group);

    /// <summary>The port for metrics that was handed over, or nothing.</summary>
    public MetricsServer? TakeMetrics(ExportFlags export) => _metrics < 0 ? null : export.InheritMetrics(_metrics);

    /// <summary>Says that all is attached, waits for the word, and does from then on what is told.</summary>
    /// <param name="session">The trace, before it runs.</param>
    /// <param name="stop">Ends it.</param>
    public void Begin(TraceSession session, StopSignal stop)
    {
        _channel.TrySend("ready");
        if (_channel.Receive(GoMs, out _) is not ["go", var fromNs])
        {
            stop.RequestFirst();
            return;
        }

        session.TakeFrom(ulong.Parse(fromNs, CultureInfo.InvariantCulture));
        new Thread(stop.Guard(() => Obey(session, stop)), maxStackSize: 256 * 1024) { IsBackground = true, Name = "veil-service" }.Start();
    }

    /// <inheritdoc/>
    public void Dispose() => _channel.Dispose();

    private void Obey(TraceSession session, StopSignal stop)
    {
        while (true)
        {
            string[] words = _channel.Receive(-1, out bool hasEnded);
            if (hasEnded)
            {
                stop.RequestFirst();
                return;
            }

            switch (words)
            {
                case ["until", var untilNs]:
                    session.TakeUntil(ulong.Parse(untilNs, CultureInfo.InvariantCulture));
                    break;
                case ["stop"]:
                    stop.RequestFirst();
                    break;
                case ["filters", .. var changes]:
                    _channel.TrySend(ReplaceFilters(session, changes) ?? "done");
                    break;
            }
        }
    }

    // All of them or none: MODULE, FILTER, how many values, and these; that again for each.
    private static string? ReplaceFilters(TraceSession session, string[] words)
    {
        var wanted = new List<(FilterMap Map, IReadOnlyDictionary<FilterKey, FilterBits> Keys)>();
        int done = 0;
        var before = new List<IReadOnlyDictionary<FilterKey, FilterBits>>();
        try
        {
            for (int at = 0; at < words.Length;)
            {
                (string module, string name) = (words[at], words[at + 1]);
                int count = int.Parse(words[at + 2], CultureInfo.InvariantCulture);
                string[] values = words[(at + 3)..(at + 3 + count)];
                at += 3 + count;
                List<FilterMap> maps =
                    [.. session.Modules.Where(traced => traced.Module.Name == module).SelectMany(static traced => traced.Filters)
                        .Where(filter => filter.Dimension.Name == name)];
                if (maps.Count == 0)
                    return $"{module} has no filter {name} now";
                foreach (var map in maps)
                {
                    wanted.Add((map, count == 0 ? new Dictionary<FilterKey, FilterBits>()
                        : FilterExpression.Parse(map.Dimension, values).Bits));
                    before.Add(map.Keys);
                }
            }

            for (; done < wanted.Count; done++)
                wanted[done].Map.Replace(wanted[done].Keys);
            return null;
        }
        catch (Exception refused) when (refused is BpfException or VeilException)
        {
            while (--done >= 0)
                wanted[done].Map.Replace(before[done]);
            return refused.Message;
        }
    }
}
