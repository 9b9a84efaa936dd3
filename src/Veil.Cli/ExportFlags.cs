// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using System.Net;
using Veil.Core;
using Veil.Core.Export;

namespace Veil.Cli;

/// <summary>The flags by which something leaves the machine, checked together.</summary>
/// <param name="Metrics">Where metrics are served, or none.</param>
/// <param name="MetricsTokenFile">The file of the token that they ask for, or none.</param>
internal sealed record ExportFlags(IPEndPoint? Metrics, string? MetricsTokenFile)
{
    // Each is a line of text in each answer, and an object in a heap that is bounded.
    private const int KeysMax = 100_000;

    /// <summary>Nothing leaves it.</summary>
    public static ExportFlags None { get; } = new(null, null);

    /// <summary>Is anything exported?</summary>
    public bool IsAny => Metrics is not null;

    /// <summary>Reads them.</summary>
    /// <exception cref="UsageException">A value is wrong, or a flag would be ignored.</exception>
    public static ExportFlags Read(ParseResult parsed, TraceFlags flags)
    {
        string? address = parsed.GetValue(flags.Metrics), token = parsed.GetValue(flags.MetricsTokenFile);
        if (token is not null && address is null)
            throw new UsageException($"{flags.MetricsTokenFile.Name}: nothing is served without {flags.Metrics.Name} ADDRESS:PORT");
        return new ExportFlags(address is null ? null : MetricsAddress.Parse(flags.Metrics.Name, address), token);
    }

    /// <summary>Refuses more keys than can be exported.</summary>
    public static void RequireFew(ParseResult parsed, TraceFlags flags, int keys)
    {
        if (keys > KeysMax && parsed.GetValue(flags.Metrics) is not null)
            throw new UsageException($"{flags.Keys.Name}: beside {flags.Metrics.Name} at most {KeysMax}");
    }

    /// <summary>Takes the port for metrics, or does nothing.</summary>
    public MetricsServer? OpenMetrics()
    {
        if (Metrics is null)
            return null;
        var token = MetricsTokenFile is null ? null : BearerToken.Read("--metrics-token-file", MetricsTokenFile, Messages.Write);
        if (token is null && !IPAddress.IsLoopback(Metrics.Address))
            Messages.Write($"warning: --metrics: {Metrics} answers everybody who reaches it; --metrics-token-file asks for a token");
        return MetricsServer.Open(Metrics, token);
    }
}
