// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>A fact about a server that scrapes. Skipped, with the reason, where <c>eng/peers</c> has not fetched it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ScraperTheoryAttribute : TheoryAttribute
{
    public ScraperTheoryAttribute() => Skip = File.Exists(Scraper.PathOf("prometheus")) ? null : "there is no Prometheus: eng/peers fetches it";
}

/// <summary>The same, of one server.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ScraperFactAttribute : FactAttribute
{
    public ScraperFactAttribute() => Skip = new ScraperTheoryAttribute().Skip;
}

/// <summary>Prometheus or VictoriaMetrics, which scrapes a port each second.</summary>
internal sealed class Scraper : IDisposable
{
    private const string Nothing = "nothing";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private readonly string _folder;
    private readonly bool _isFolderOurs;
    private readonly HttpClient _client = new();
    private readonly Process _process;

    /// <summary>Scrapes a port of this machine.</summary>
    public Scraper(string name, int target, params string[] more)
        : this(name, Directory.CreateTempSubdirectory("veil-scraper-").FullName, $$"""
            global: {scrape_interval: 1s, scrape_timeout: 1s}
            scrape_configs: [{job_name: veil, static_configs: [{targets: ['127.0.0.1:{{target}}']}]}]
            """, more) => _isFolderOurs = true;

    /// <summary>Scrapes by a configuration, which may name files beside it.</summary>
    public Scraper(string name, string folder, string configuration, params string[] more)
    {
        _folder = folder;
        string config = Path.Combine(_folder, "scrape.yml");
        File.WriteAllText(config, configuration);
        string[] arguments = name == "prometheus"
            ? [$"--config.file={config}", $"--storage.tsdb.path={_folder}/data", $"--web.listen-address=127.0.0.1:{Port}"]
            : [$"-promscrape.config={config}", $"-storageDataPath={_folder}/data", $"-httpListenAddr=127.0.0.1:{Port}", "-search.latencyOffset=0s"];
        arguments = [.. arguments, .. more];
        _process = Process.Start(new ProcessStartInfo(PathOf(name), arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _process.ErrorDataReceived += static (_, _) => { };
        _process.OutputDataReceived += static (_, _) => { };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    /// <summary>Where it answers.</summary>
    public int Port { get; } = FreePort();

    public static string PathOf(string name) => Path.Combine(Path.GetDirectoryName(StraceFile.Program)!, name);

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>What a query comes to, once it is what is expected; else what it was last.</summary>
    public Task<string> Query(string query, string expected) => Query(query, last => last == expected);

    /// <summary>The first answer to a query; <c>nothing</c> where none comes.</summary>
    public Task<string> Query(string query) => Query(query, static last => last != Nothing);

    private async Task<string> Query(string query, Func<string, bool> isExpected)
    {
        string last = Nothing;
        for (var since = Stopwatch.StartNew(); since.Elapsed < s_patience && !isExpected(last); await Task.Delay(250))
        {
            try
            {
                string text = await _client.GetStringAsync($"http://127.0.0.1:{Port}/api/v1/query?query={Uri.EscapeDataString(query)}");
                var result = JsonDocument.Parse(text).RootElement.GetProperty("data").GetProperty("result");
                last = result.GetArrayLength() == 0 ? Nothing : result[0].GetProperty("value")[1].GetString()!;
            }
            catch (HttpRequestException)
            {
                // It has not begun yet.
            }
        }

        return last;
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _client.Dispose();
        if (_isFolderOurs)
            Directory.Delete(_folder, recursive: true);
    }
}
