// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using System.Net;
using Veil.Cli.Service;
using Veil.Core;
using Veil.Core.Export;
using Veil.Core.Text;

namespace Veil.Cli;

/// <summary>The flags by which something leaves the machine, checked together.</summary>
/// <param name="Metrics">Where metrics are served, or none.</param>
/// <param name="MetricsTokenFile">The file of the token that they ask for, or none.</param>
/// <param name="Otlp">Where events are sent, or none.</param>
internal sealed record ExportFlags(IPEndPoint? Metrics, string? MetricsTokenFile, OtlpOptions? Otlp)
{
    // Each is a line of text in each answer, and an object in a heap that is bounded.
    private const int KeysMax = 100_000;
    private const long BufferMin = 1 << 20;
    private const long BufferMax = 64 << 20;

    /// <summary>Nothing is.</summary>
    public static ExportFlags None { get; } = new(null, null, null);

    /// <summary>How often metrics are sent, where there is no interval.</summary>
    public static TimeSpan MetricsEvery { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Is anything exported?</summary>
    public static bool IsAny(ParseResult parsed, TraceFlags flags) =>
        parsed.GetValue(flags.Metrics) is not null || parsed.GetValue(flags.Otlp) is not null;

    /// <summary>Reads them.</summary>
    /// <exception cref="UsageException">A value is wrong, or a flag would be ignored.</exception>
    public static ExportFlags Read(ParseResult parsed, TraceFlags flags)
    {
        string? address = parsed.GetValue(flags.Metrics), token = parsed.GetValue(flags.MetricsTokenFile);
        if (token is not null && address is null)
            throw new UsageException($"{flags.MetricsTokenFile.Name}: nothing is served without {flags.Metrics.Name} ADDRESS:PORT");
        return new ExportFlags(address is null ? null : MetricsAddress.Parse(flags.Metrics.Name, address), token, ReadOtlp(parsed, flags));
    }

    private static OtlpOptions? ReadOtlp(ParseResult parsed, TraceFlags flags)
    {
        string? url = parsed.GetValue(flags.Otlp), buffer = parsed.GetValue(flags.ExportBuffer);
        bool withArguments = parsed.GetValue(flags.OtlpArgs);
        if (url is null)
        {
            return withArguments || buffer is not null
                ? throw new UsageException(
                    $"{(withArguments ? flags.OtlpArgs.Name : flags.ExportBuffer.Name)}: nothing is sent without {flags.Otlp.Name} URL")
                : null;
        }

        if (!withArguments && CountFlags.Read(parsed, flags)?.By.FirstOrDefault(OtlpLogPlan.IsContent) is { } content)
            throw new UsageException(
                $"{flags.CountBy.Name}: {Escaping.ForMessage(content)} would leave the machine as a label, and may hold passwords; " +
                $"{flags.OtlpArgs.Name} sends it all the same");
        long bytes = OtlpOptions.DefaultBufferBytes;
        if (buffer is not null && (SizeFlag.Read(buffer) is not { } read || (bytes = read) is < BufferMin or > BufferMax))
            throw new UsageException($"{flags.ExportBuffer.Name}: '{Escaping.ForMessage(buffer)}' is no size from 1M to 64M");
        return OtlpOptions.Parse(flags.Otlp.Name, url, Credentials.Variable) with
        {
            WithArguments = withArguments,
            BufferBytes = (int)bytes,
        };
    }

    /// <summary>Refuses more keys than can be exported.</summary>
    public static void RequireFew(ParseResult parsed, TraceFlags flags, int keys)
    {
        if (keys > KeysMax && IsAny(parsed, flags))
            throw new UsageException(
                $"{flags.Keys.Name}: beside {(parsed.GetValue(flags.Metrics) is null ? flags.Otlp.Name : flags.Metrics.Name)} at most {KeysMax}");
    }

    /// <summary>Takes the port for metrics, or does nothing.</summary>
    public MetricsServer? OpenMetrics()
    {
        if (Metrics is null)
            return null;
        var token = ReadToken(Messages.Write);
        if (token is null && !IPAddress.IsLoopback(Metrics.Address))
            Messages.Write($"warning: --metrics: {Metrics} answers everybody who reaches it; --metrics-token-file asks for a token");
        return MetricsServer.Open(Metrics, token);
    }

    /// <summary>Takes over a port for metrics, of which who opened it has said all.</summary>
    public MetricsServer InheritMetrics(int listener) => MetricsServer.Inherit(listener, Metrics!, ReadToken(static _ => { }));

    /// <summary>Prepares what is sent by OTLP, or does nothing.</summary>
    public OtlpExport? OpenOtlp() => Otlp is null ? null : OtlpExport.Open(Otlp, VersionText.Number, Messages.Write);

    private BearerToken? ReadToken(Action<string> warn) =>
        MetricsTokenFile is null ? null : BearerToken.Read("--metrics-token-file", Credentials.Find(MetricsTokenFile), warn);
}
