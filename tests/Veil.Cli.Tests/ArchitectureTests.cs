using System.Reflection;

namespace Veil.Cli.Tests;

/// <summary>The house stays as it was built: references run one way, and no name says nothing.</summary>
public sealed class ArchitectureTests
{
    private static readonly string[] s_layers = ["Veil.Bpf", "Veil.Core", "Veil.Modules", "veil"];

    [Fact]
    public void References_BetweenProjects_RunOneWay()
    {
        for (int layer = 0; layer < s_layers.Length; layer++)
        {
            var above = s_layers[layer..];
            var references = Assembly.Load(s_layers[layer]).GetReferencedAssemblies().Select(static name => name.Name!);
            references.Intersect(above).ShouldBeEmpty(s_layers[layer]);
        }
    }

    [Fact]
    public void Types_AreNamedAfterWhatTheyAre()
    {
        string[] vague = ["Utils", "Helper", "Helpers", "Manager", "Managers"];
        foreach (string layer in s_layers)
            Assembly.Load(layer).GetTypes().Select(static type => type.Name).Where(name => vague.Any(ending => name.EndsWith(ending, StringComparison.Ordinal))).ShouldBeEmpty(layer);
    }

    [Fact]
    public void Core_KnowsNoModule()
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Veil.slnx")))
            root = Path.GetDirectoryName(root)!;
        foreach (string file in Directory.EnumerateFiles(Path.Combine(root, "src/Veil.Core"), "*.cs", SearchOption.AllDirectories))
            File.ReadAllText(file).ShouldNotContain("Veil.Modules", Case.Sensitive, file);
    }
}
