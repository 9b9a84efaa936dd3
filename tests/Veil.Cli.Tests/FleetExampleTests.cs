// SPDX-License-Identifier: GPL-3.0-only
using System.Text.Json;
using Veil.Cli.Config;
using YamlDotNet.RepresentationModel;

namespace Veil.Cli.Tests;

/// <summary><c>examples/fleet</c>: what its files say of each other is right. That they run needs a network; no test has one.</summary>
public sealed class FleetExampleTests
{
    private static readonly string s_folder = FindFolder();

    public static TheoryData<string> NodeFiles =>
        [.. Directory.GetFiles(Path.Combine(s_folder, "node"), "*.yaml").Select(static path => Path.GetFileName(path))];

    [Theory]
    [MemberData(nameof(NodeFiles))]
    public void NodeFile_IsAConfiguration(string name) =>
        ConfigFile.Read(Path.Combine(s_folder, "node", name)).Request(null!).Options.Modules.ShouldNotBeEmpty();

    [Fact]
    public void Compose_MountsFilesThatAreThere()
    {
        var compose = Yaml("compose.yaml");
        string[] volumes = Keys(compose, "volumes");
        foreach (string service in Keys(compose, "services"))
        {
            foreach (string source in Texts(At(compose, "services", service, "volumes")).Select(static mount => mount.Split(':')[0]))
            {
                // The token is a secret: who starts it makes one.
                if (source == "./token")
                    continue;
                string path = Path.Combine(s_folder, source);
                bool isThere = source[0] == '.' ? File.Exists(path) || Directory.Exists(path) : volumes.Contains(source);
                isThere.ShouldBeTrue($"{service}: {source}");
            }
        }
    }

    [Fact]
    public void Collector_HasWhatItsPipelinesName()
    {
        var collector = Yaml("collector.yaml");
        foreach (string pipeline in Keys(collector, "service", "pipelines"))
        {
            foreach (string kind in new[] { "receivers", "processors", "exporters" })
                Texts(At(collector, "service", "pipelines", pipeline, kind)).ShouldBeSubsetOf(Keys(collector, kind));
        }

        Texts(At(collector, "service", "extensions")).ShouldBe(Keys(collector, "extensions"));
        Text(At(collector, "receivers", "otlp", "protocols", "http", "endpoint")).ShouldBe("0.0.0.0:4318");
        // Hosts are the services of the compose file.
        string[] services = Keys(Yaml("compose.yaml"), "services");
        services.ShouldContain(new Uri(Text(At(collector, "exporters", "otlphttp/prometheus", "endpoint"))).Host);
        services.ShouldContain(new Uri(Text(At(collector, "exporters", "clickhouse", "endpoint"))).Host);
    }

    [Fact]
    public void Dashboard_AsksTheSourcesThatAreProvided()
    {
        var provided =
            ((YamlSequenceNode)At(Yaml("grafana/provisioning/datasources/veil.yaml"), "datasources")).ToDictionary(
            static source => Text(source["uid"]), static source => Text(source["type"]));
        using var dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(s_folder, "grafana/dashboards/veil.json")));
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().ToList();

        panels.Select(static panel => panel.GetProperty("id").GetInt32()).ShouldBeUnique();
        foreach (var target in panels.SelectMany(static panel => panel.GetProperty("targets").EnumerateArray()))
        {
            var source = target.GetProperty("datasource");
            provided[source.GetProperty("uid").GetString()!].ShouldBe(source.GetProperty("type").GetString());
            bool isPrometheus = source.GetProperty("type").GetString() == "prometheus";
            target.GetProperty(isPrometheus ? "expr" : "rawSql").GetString().ShouldNotBeNullOrEmpty();
        }
    }

    private static YamlMappingNode Yaml(string name)
    {
        var stream = new YamlStream();
        using var reader = new StreamReader(Path.Combine(s_folder, name));
        stream.Load(reader);
        return (YamlMappingNode)stream.Documents.Single().RootNode;
    }

    private static YamlNode At(YamlNode node, params string[] path) => path.Aggregate(node, static (at, key) => at[key]);

    private static string[] Keys(YamlNode node, params string[] path) =>
        [.. ((YamlMappingNode)At(node, path)).Children.Keys.Select(Text)];

    private static string[] Texts(YamlNode node) => [.. ((YamlSequenceNode)node).Select(Text)];

    private static string Text(YamlNode node) => ((YamlScalarNode)node).Value!;

    private static string FindFolder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Veil.slnx")))
            folder = folder.Parent!;
        return Path.Combine(folder.FullName, "examples/fleet");
    }
}
