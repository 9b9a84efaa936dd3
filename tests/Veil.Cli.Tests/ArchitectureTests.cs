// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Veil.Cli.Tests;

/// <summary>The house stays as it was built: references run one way, and no name says nothing.</summary>
public sealed class ArchitectureTests
{
    // Each room of the core knows those before it alone.
    private static readonly string[] s_rooms =
    [
        "Text", "Interop", "Kernel", "Unwinding", "Symbols", "Stacks", "Cgroups", "Containers", "Executables", "Events", "Calls", "Losses", "Budgets", "Waiting", "Running",
        "Service", "Filters", "Modules", "Output", "Sinks", "Counting", "Options", "Privileged",
        "Enrichers", "Pipeline", "Sources", "Recordings", "Hints", "Session", "Comparing", "Export", "Formats", "Control", "Doctor", "Stuck",
        "Why",
    ];

    private static readonly string[] s_layers = ["Veil.Bpf", "Veil.Core", "Veil.Modules", "veil"];

    [Fact]
    public void Sources_OfEveryProject_BeginWithTheirLicence() =>
        Directory.EnumerateFiles(Path.Combine(Root(), "src"), "*.cs", SearchOption.AllDirectories)
            .Where(static file => !file.Contains("/obj/", StringComparison.Ordinal) && !File.ReadLines(file).First()
                .StartsWith("// SPDX-License-Identifier: GPL-3.0-only", StringComparison.Ordinal))
            .ShouldBeEmpty();

    [Fact]
    public void References_BetweenProjects_RunOneWay()
    {
        for (int layer = 0; layer < s_layers.Length; layer++)
        {
            string[] above = s_layers[layer..];
            var references = Assembly.Load(s_layers[layer]).GetReferencedAssemblies().Select(static name => name.Name!);
            references.Intersect(above).ShouldBeEmpty(s_layers[layer]);
        }
    }

    [Fact]
    public void Types_AreNamedAfterWhatTheyAre()
    {
        string[] vague = ["Utils", "Helper", "Helpers", "Manager", "Managers"];
        foreach (string layer in s_layers)
            Assembly.Load(layer).GetTypes().Select(static type => type.Name)
                .Where(name => vague.Any(ending => name.EndsWith(ending, StringComparison.Ordinal))).ShouldBeEmpty(layer);
    }

    [Fact]
    public void Notices_NameEverythingThatIsLinkedIn()
    {
        string notices = File.ReadAllText(Path.Combine(Root(), "THIRD-PARTY-NOTICES"));
        string listed = notices[..notices.IndexOf("Copyright\n---", StringComparison.Ordinal)];
        string copyrights = notices[listed.Length..];
        var items = Directory.EnumerateFiles(Path.Combine(Root(), "src"), "*.csproj", SearchOption.AllDirectories)
            .SelectMany(static file => XDocument.Load(file).Descendants()).ToList();
        var packages =
            items.Where(static item => item.Name.LocalName == "PackageReference" && (string?)item.Attribute("PrivateAssets") != "all")
            .Select(static item => (string)item.Attribute("Include")!).ToList();
        var libraries =
            items.Where(static item => item.Name.LocalName == "NativeLibrary").Select(static item => (string)item.Attribute("Include")!)
            .Where(static path => path != "$(VeilNativeStart)") // our own
            .Select(Path.GetFileNameWithoutExtension).OfType<string>().ToList();

        // What comes in through a package is in its project's lock file, "Transitive".
        var indirect = Directory.EnumerateFiles(Path.Combine(Root(), "src"), "packages.lock.json", SearchOption.AllDirectories)
            .SelectMany(static file => JsonNode.Parse(File.ReadAllText(file))!["dependencies"]!.AsObject())
            .SelectMany(static framework => framework.Value!.AsObject())
            .Where(static package => (string?)package.Value!["type"] == "Transitive").Select(static package => package.Key);

        packages.ShouldContain("YamlDotNet");
        libraries.ShouldContain("libbpf");
        foreach (string name in packages.Concat(libraries).Concat(indirect))
        {
            listed.ShouldContain($"\n  {name} ", Case.Sensitive);
            copyrights.ShouldContain(name == "libz" ? "\nzlib: " : $"\n{name}: ", Case.Sensitive);
        }
    }

    /// <summary>The index repeats title, status and date of each decision, in the order of their numbers.</summary>
    [Fact]
    public void Decisions_EachHasStatusAndDate_AndTheIndexNamesIt()
    {
        string folder = Path.Combine(Root(), "docs/adr");
        var expected = new List<string>();
        foreach (string file in Directory.EnumerateFiles(folder, "0*.md").Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileName(file);
            string[] lines = File.ReadAllLines(file);
            int number = int.Parse(name[..4], CultureInfo.InvariantCulture);
            lines[0].ShouldStartWith($"# {number}. ", Case.Sensitive, name);
            lines[2].ShouldMatch(@"^Status: (proposed|accepted|rejected|superseded by \[\d+\]\(\d{4}-[a-z0-9-]+\.md\))$", name);
            lines[4].ShouldMatch(@"^Date: \d{4}-\d{2}-\d{2}$", name);
            expected.Add(
                $"| [{number}]({name}) | {lines[0][$"# {number}. ".Length..]} | {lines[2]["Status: ".Length..]} | " +
                $"{lines[4]["Date: ".Length..]} |");
        }

        File.ReadLines(Path.Combine(folder, "README.md")).Where(static line => line.StartsWith("| [", StringComparison.Ordinal))
            .ShouldBe(expected);
    }

    [Fact]
    public void Core_KnowsNoModule()
    {
        foreach (string file in Directory.EnumerateFiles(Path.Combine(Root(), "src/Veil.Core"), "*.cs", SearchOption.AllDirectories))
            File.ReadAllText(file).ShouldNotContain("Veil.Modules", Case.Sensitive, file);
    }

    /// <summary>libc and libbpf are bound in one place a library, and nowhere else.</summary>
    [Fact]
    public void NativeCalls_AreBoundInInteropAlone() =>
        Directory.EnumerateFiles(Path.Combine(Root(), "src"), "*.cs", SearchOption.AllDirectories)
            .Where(static file => File.ReadAllText(file) is var text
            && (text.Contains("[LibraryImport(\"libc\"", StringComparison.Ordinal)
            || text.Contains("[LibraryImport(LibraryNames", StringComparison.Ordinal)))
            .Select(static file => Path.GetRelativePath(Path.Combine(Root(), "src"), Path.GetDirectoryName(file)!)).Distinct()
                .ShouldBe(["Veil.Bpf/Interop", "Veil.Core/Interop"], ignoreOrder: true);

    [Fact]
    public void Core_EachRoom_KnowsOnlyThoseBeforeIt()
    {
        string core = Path.Combine(Root(), "src/Veil.Core");
        Directory.EnumerateDirectories(core).Select(static folder => Path.GetFileName(folder)).Except(["bin", "obj"])
            .ShouldBe(s_rooms, ignoreOrder: true);
        var upward = new HashSet<string>();
        foreach (var (place, room) in s_rooms.Index())
        {
            foreach (string file in Directory.EnumerateFiles(Path.Combine(core, room), "*.cs"))
            {
                string text = File.ReadAllText(file);
                text.ShouldContain($"namespace Veil.Core.{room};\n", Case.Sensitive, file);
                foreach (Match known in Regex.Matches(text, @"\bVeil\.Core\.(?<room>\w+)", RegexOptions.None, TimeSpan.FromSeconds(1)))
                {
                    if (Array.IndexOf(s_rooms, known.Groups["room"].Value) > place)
                        upward.Add($"{Path.GetFileName(file)}: {known.Groups["room"].Value}");
                }
            }
        }

        // The helper that stays root removes the socket of the control server when that has closed it. Values know that frames have names, and
        // whoever finds those reads other users' files by the helper.
        upward.ShouldBe(["RootClient.cs: Control"]);
    }

    /// <summary>A test that goes away when something is missing counts as passed: what cannot run is skipped by an attribute that says
    /// why.</summary>
    [Fact]
    public void Tests_NoneEndsEarly()
    {
        var files = Directory.EnumerateFiles(Path.Combine(Root(), "tests"), "*Tests.cs", SearchOption.AllDirectories).ToList();
        files.Count.ShouldBeGreaterThan(20);
        files.SelectMany(
            static file => File.ReadLines(file).Where(static line => line.TrimStart().StartsWith("return;", StringComparison.Ordinal))
            .Select(line => $"{Path.GetFileName(file)}: {line.Trim()}")).ShouldBeEmpty();
    }

    internal static string Root()
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Veil.slnx")))
            root = Path.GetDirectoryName(root)!;
        return root;
    }
}
