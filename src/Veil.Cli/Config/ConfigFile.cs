using System.CommandLine;
using System.Text;
using Veil.Core;
using Veil.Core.Modules;
using Veil.Core.Text;
using Veil.Modules;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Veil.Cli.Config;

/// <summary>
/// A trace written down in YAML. Its values become the flags of a command line and are read by the code that reads those: no rule exists
/// twice. What is new are the places of mistakes.
/// </summary>
internal sealed class ConfigFile
{
    private const int BytesMax = 1024 * 1024;
    private const int DepthMax = 16;

    private static readonly Dictionary<string, string> s_outputKeys = new(StringComparer.Ordinal)
    {
        ["format"] = "--output",
        ["enrich"] = "--enrich",
        ["fields"] = "--fields",
        ["count"] = "--count",
        ["count_by"] = "--count-by",
        ["hist"] = "--hist",
        ["top"] = "--top",
        ["interval"] = "--interval",
        ["keys"] = "--keys",
    };

    private static readonly Dictionary<string, string> s_runKeys = new(StringComparer.Ordinal)
    {
        ["control"] = "--control",
        ["control_group"] = "--control-group",
        ["yes"] = "--yes",
        ["buffer"] = "--buffer",
        ["rings"] = "--rings",
        ["hook"] = "--hook",
        ["include_self"] = "--include-self",
        ["fail_on_loss"] = "--fail-on-loss",
        ["stats"] = "--stats",
        ["quiet"] = "--quiet",
        ["verbose"] = "--verbose",
    };

    private readonly string _path;
    private readonly YamlMappingNode _root;

    private ConfigFile(string path, YamlMappingNode root)
    {
        _path = path;
        _root = root;
    }

    /// <summary>The profiles by name; none where the file is one trace.</summary>
    public IReadOnlyList<string> Profiles => Get(_root, "profiles") is { } profiles ? [.. Mapping(profiles, "profiles").Children.Keys.Select(KeyText)] : [];

    /// <summary>Does it say which profile is meant where none is named?</summary>
    public bool HasDefault => Get(_root, "default") is not null;

    /// <summary>Reads a file; its values are looked at by <see cref="Request"/>.</summary>
    /// <exception cref="UsageException">It cannot be read, or is no mapping in YAML.</exception>
    public static ConfigFile Read(string path)
    {
        string text;
        try
        {
            using var file = File.OpenRead(path);
            var buffer = new byte[BytesMax + 1];
            int length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            if (length > BytesMax)
                throw new UsageException($"{path}: more than {BytesMax} bytes is no configuration");
            text = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(buffer, 0, length);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--config: {path}: {(cause is FileNotFoundException or DirectoryNotFoundException ? "there is no such file" : Directory.Exists(path) ? "it is a folder" : cause.Message)}");
        }
        catch (DecoderFallbackException)
        {
            throw new UsageException($"{path}: it is not UTF-8");
        }

        try
        {
            RefuseWhatNobodyWrites(path, text);
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            return stream.Documents switch
            {
                [] => throw new UsageException($"{path}: it is empty; it needs modules:, or profiles:"),
                [{ RootNode: YamlMappingNode root }] => new ConfigFile(path, root),
                [var other] => throw Wrong(path, other.RootNode.Start, "a configuration is a mapping, such as modules: {syscall: {}}"),
                _ => throw Wrong(path, stream.Documents[1].RootNode.Start, "there is a second document; give each a file of its own"),
            };
        }
        catch (YamlException cause)
        {
            throw Wrong(path, cause.Start, Escaping.ForMessage(cause.InnerException?.Message ?? cause.Message).TrimEnd('.'));
        }
        catch (Exception cause) when (cause is InvalidOperationException or ArgumentException or FormatException)
        {
            // YamlDotNet's scanner says so of some malformed text, without a place.
            throw new UsageException($"{path}: it is no YAML: {Escaping.ForMessage(cause.Message)}");
        }
    }

    /// <summary>What a profile asks for, checked as a command line is.</summary>
    /// <param name="profile">Its name; none for the default, or for a file without profiles.</param>
    /// <exception cref="UsageException">Something in it is wrong: says where.</exception>
    public TraceRequest Request(string? profile)
    {
        var trace = Choose(profile);
        RefuseUnknown(trace, ["modules", "output", "run"]);
        var flags = new TraceFlags();
        var common = new List<string>();
        var places = new Dictionary<string, Mark>(StringComparer.Ordinal);
        AddSection(trace, "output", s_outputKeys, flags, common, places);
        AddSection(trace, "run", s_runKeys, flags, common, places);

        if (Get(trace, "modules") is not { } modulesNode)
            throw Wrong(trace.Start, "modules: is missing: it says what to trace");
        var modules = Mapping(modulesNode, "modules");
        if (modules.Children.Count == 0)
            throw Wrong(modules.Start, "modules: is empty: it says what to trace");
        RefuseUnknown(modules, [.. ModuleCatalog.All.Select(static module => module.Name)], "module");

        var parts = new List<TraceRequest>();
        foreach (var (key, value) in modules.Children)
            parts.Add(ReadModule(KeyText(key), key, value, flags, common, new(places, StringComparer.Ordinal)));
        return Join(parts);
    }

    private TraceRequest ReadModule(string name, YamlNode key, YamlNode value, TraceFlags flags, List<string> common, Dictionary<string, Mark> places)
    {
        var words = new List<string> { "--module", name };
        if (value is not YamlScalarNode { Value: null or "" })
        {
            var body = Mapping(value, name);
            RefuseUnknown(body, ["flags"]);
            if (Get(body, "flags") is { } flagsNode)
            {
                var module = ModuleCatalog.All.First(module => module.Name == name);
                var known = module.Filters.Select(static filter => filter.Name).Concat(module.Flags.Select(static flag => flag.Name)).ToDictionary(static flag => flag, static flag => "--" + flag, StringComparer.Ordinal);
                AddAll(Mapping(flagsNode, "flags"), known, $"flag of {name}", flags, words, places);
            }
        }

        words.AddRange(common);
        try
        {
            var root = new RootCommand();
            foreach (var option in flags.All)
                root.Add(option);
            var parsed = root.Parse(words, new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (parsed.Errors.Count > 0)
                throw new UsageException(Escaping.ForMessage(parsed.Errors[0].Message));
            return TraceRequest.Read(parsed, flags);
        }
        catch (UsageException wrong)
        {
            string blamed = wrong.Message.Split(':')[0];
            throw Wrong(places.TryGetValue(blamed, out var place) ? place : key.Start, wrong.Message);
        }
    }

    // Filters keep to their module; the other flags are of one module each, and output and run are the same for all.
    private static TraceRequest Join(List<TraceRequest> parts)
    {
        var first = parts[0];
        return first with
        {
            Options = first.Options with
            {
                Modules = [.. parts.SelectMany(static part => part.Options.Modules)],
                Filters = [.. parts.SelectMany(static part => part.Options.Filters.Select(filter => filter with { Module = part.Options.Modules[0].Name }))],
                Arguments = new ModuleArguments(
                    parts.SelectMany(static part => part.Options.Arguments.Switches).ToHashSet(StringComparer.Ordinal),
                    parts.SelectMany(static part => part.Options.Arguments.Values).ToDictionary(StringComparer.Ordinal)),
            },
        };
    }

    private YamlMappingNode Choose(string? profile)
    {
        if (Get(_root, "profiles") is not { } node)
        {
            if (profile is not null)
                throw new UsageException($"--profile: {_path} has no profiles: it is one trace");
            return _root;
        }

        RefuseUnknown(_root, ["profiles", "default"]);
        var profiles = Mapping(node, "profiles");
        var place = node.Start;
        if (profile is null && Get(_root, "default") is { } standard)
        {
            profile = Scalar(standard, "default");
            place = standard.Start;
        }

        if (profile is null)
            throw Wrong(node.Start, $"which profile? Add default:, or give --profile ({string.Join(", ", Profiles)})");
        return Get(profiles, profile) is { } chosen
            ? Mapping(chosen, profile)
            : throw Wrong(place, $"no profile '{Escaping.ForMessage(profile)}'{Messages.Suggest(profile, Profiles)} (there is: {string.Join(", ", Profiles)})");
    }

    private void AddSection(YamlMappingNode trace, string section, Dictionary<string, string> known, TraceFlags flags, List<string> words, Dictionary<string, Mark> places)
    {
        if (Get(trace, section) is { } node)
            AddAll(Mapping(node, section), known, $"key of {section}", flags, words, places);
    }

    private void AddAll(YamlMappingNode values, Dictionary<string, string> known, string what, TraceFlags flags, List<string> words, Dictionary<string, Mark> places)
    {
        RefuseUnknown(values, [.. known.Keys], what);
        foreach (var (key, value) in values.Children)
        {
            string flag = known[KeyText(key)];
            places[flag] = value.Start;
            if (flags.All.FirstOrDefault(option => option.Name == flag) is not { } option)
                throw Wrong(key.Start, $"{flag} does not exist");
            if (option is Option<bool>)
            {
                if (value is YamlScalarNode { Value: "true" })
                    words.Add(flag);
                else if (value is not YamlScalarNode { Value: "false" })
                    throw Wrong(value.Start, $"{KeyText(key)} is true or false");
                continue;
            }

            // An item of a list is one value already, whatever it holds.
            bool split = option is not Option<string[]> || value is not YamlSequenceNode;
            var items = value is YamlSequenceNode list ? list.Children : [value];
            if (items.Count == 0)
                throw Wrong(value.Start, $"{KeyText(key)}: the list is empty; leave it out instead");
            foreach (var item in items)
                words.Add(Scalar(item, KeyText(key)) is { Length: > 0 } text ? $"{flag}={(split ? text : ListText.Escape(text))}" : throw Wrong(item.Start, $"{flag}: the value is empty"));
        }
    }

    private void RefuseUnknown(YamlMappingNode mapping, IReadOnlyList<string> known, string what = "key")
    {
        foreach (var key in mapping.Children.Keys)
        {
            string name = KeyText(key);
            if (!known.Contains(name))
                throw Wrong(key.Start, $"no {what} '{Escaping.ForMessage(name)}'{Messages.Suggest(name, known)} (there is: {string.Join(", ", known)})");
        }
    }

    private YamlMappingNode Mapping(YamlNode node, string name) =>
        node as YamlMappingNode ?? throw Wrong(node.Start, $"{Escaping.ForMessage(name)} is a mapping: lines of key: value, indented below it");

    private string Scalar(YamlNode node, string name) =>
        node is YamlScalarNode { Value: { } text } ? text : throw Wrong(node.Start, $"{Escaping.ForMessage(name)} is a value, or a list of values");

    private string KeyText(YamlNode key) => key is YamlScalarNode { Value: { } text } ? text : throw Wrong(key.Start, "a key is a word");

    private static YamlNode? Get(YamlMappingNode mapping, string name) =>
        mapping.Children.FirstOrDefault(entry => entry.Key is YamlScalarNode { Value: { } text } && text == name).Value;

    // An alias can stand for a tree that is larger than memory, and nesting for more than the stack: both before anything is built.
    private static void RefuseWhatNobodyWrites(string path, string text)
    {
        var parser = new Parser(new StringReader(text));
        int depth = 0;
        while (parser.MoveNext())
        {
            if (parser.Current is AnchorAlias)
                throw Wrong(path, parser.Current.Start, "aliases (*name) are not understood; write it out");
            depth += parser.Current!.NestingIncrease;
            if (depth > DepthMax)
                throw Wrong(path, parser.Current.Start, "nothing here is nested that deep");
        }
    }

    private UsageException Wrong(Mark place, string why) => Wrong(_path, place, why);

    private static UsageException Wrong(string path, Mark place, string why) => new($"{path}:{place.Line}:{place.Column}: {why}");
}
