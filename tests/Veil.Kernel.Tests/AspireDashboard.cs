// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>A fact about a receiver of OTLP that others wrote. Skipped, with the reason, where <c>eng/peers</c> has not fetched
/// it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class AspireFactAttribute : FactAttribute
{
    public AspireFactAttribute() =>
        Skip = File.Exists(AspireDashboard.Program) ? null : "there is no Aspire.Dashboard to send to: eng/peers fetches it";
}

/// <summary>The dashboard of .NET Aspire: takes OTLP, and tells by JSON what it has.</summary>
internal sealed class AspireDashboard : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);
    private readonly HttpClient _client = new();
    private readonly Process _process;
    private readonly int _page = Scraper.FreePort();

    public AspireDashboard()
    {
        var start = new ProcessStartInfo(Program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(Program),
            Environment =
            {
                ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{_page}",
                ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = $"http://127.0.0.1:{Scraper.FreePort()}",
                ["ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"] = Url,
                ["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true",
                ["ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS"] = "true",
                ["DASHBOARD__API__ENABLED"] = "true",
                ["DASHBOARD__API__AUTHMODE"] = "Unsecured",
            },
        };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += static (_, _) => { };
        _process.ErrorDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public static string Program => Path.Combine(Scraper.PathOf("aspire"), "Aspire.Dashboard");

    /// <summary>Where it takes OTLP by HTTP.</summary>
    public string Url { get; } = $"http://127.0.0.1:{Scraper.FreePort()}";

    /// <summary>All that it has of logs, with those who sent them.</summary>
    public Task<string> LogsText() => Get("logs?limit=20000");

    /// <summary>The log records that it has.</summary>
    public async Task<JsonElement[]> Logs()
    {
        string text = await LogsText();
        return [.. JsonDocument.Parse(text).RootElement.GetProperty("data").GetProperty("resourceLogs").EnumerateArray()
            .SelectMany(static resource => resource.GetProperty("scopeLogs").EnumerateArray())
            .SelectMany(static scope => scope.GetProperty("logRecords").EnumerateArray())];
    }

    /// <summary>An attribute of a record; nothing where it has none.</summary>
    public static string? Attribute(JsonElement record, string name) =>
        record.GetProperty("attributes").EnumerateArray().FirstOrDefault(one => one.GetProperty("key").GetString() == name) is
        { ValueKind: JsonValueKind.Object } found ? found.GetProperty("value").GetProperty("stringValue").GetString() : null;

    /// <summary>Waits until it answers.</summary>
    public Task<string> Ready() => Get("resources");

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _client.Dispose();
    }

    private async Task<string> Get(string what)
    {
        for (var since = Stopwatch.StartNew(); ; await Task.Delay(200))
        {
            try
            {
                return await _client.GetStringAsync($"http://127.0.0.1:{_page}/api/telemetry/{what}");
            }
            catch (HttpRequestException) when (since.Elapsed < s_patience)
            {
                // It has not begun yet.
            }
        }
    }
}
