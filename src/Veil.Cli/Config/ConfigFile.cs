// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using Microsoft.Win32.SafeHandles;
using Veil.Bpf;
using Veil.Cli.Service;
using Veil.Core;
using Veil.Core.Interop;
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

    // A filter holds 10,240 keys; this is room for several such lists, and a bound for what the tree below takes: some 40 MiB.
    private const int ValuesMax = 64 * 1024;

    private static readonly Dictionary<string, string> s_outputKeys = new(StringComparer.Ordinal)
    {
        ["format"] = "--output",
        ["enrich"] = "--enrich",
        ["fields"] = "--fields",
        ["stack"] = "--stack",
        ["lines"] = "--lines",
        ["jit"] = "--jit",
        ["unwind"] = "--unwind",
        ["stack_copy"] = "--stack-copy",
        ["wide"] = "--wide",
        ["write"] = "--write",
        ["record"] = "--record",
        ["record_size"] = "--record-size",
        ["record_keep"] = "--record-keep",
        ["flight"] = "--flight",
        ["trigger"] = "--trigger",
        ["after"] = "--after",
        ["force"] = "--force",
        ["count"] = "--count",
        ["count_by"] = "--count-by",
        ["sum"] = "--sum",
        ["hist"] = "--hist",
        ["sort"] = "--sort",
        ["top"] = "--top",
        ["interval"] = "--interval",
        ["keys"] = "--keys",
    };

    private static readonly Dictionary<string, string> s_runKeys = new(StringComparer.Ordinal)
    {
        ["control"] = "--control",
        ["control_group"] = "--control-group",
        ["otlp"] = "--otlp",
        ["otlp_args"] = "--otlp-args",
        ["export_buffer"] = "--export-buffer",
        ["metrics"] = "--metrics",
        ["metrics_token_file"] = "--metrics-token-file",
        ["follow"] = "--follow",
        ["no_follow"] = "--no-follow",
        ["user"] = "--user",
        ["yes"] = "--yes",
        ["duration"] = "--duration",
        ["max_events"] = "--max-events",
        ["buffer"] = "--buffer",
        ["rings"] = "--rings",
        ["hook"] = "--hook",
        ["include_self"] = "--include-self",
        ["fail_on_loss"] = "--fail-on-loss",
        ["budget"] = "--budget",
        ["stats"] = "--stats",
        ["quiet"] = "--quiet",
        ["verbose"] = "--verbose",
    };

    private const string RunKey = "key of run", OutputKey = "key of output";

    private readonly string _path;
    private readonly YamlMappingNode _root;

    // Where all mistakes are looked for, and not the first one.
    private List<string>? _mistakes;

    private ConfigFile(string path, string text, YamlMappingNode root)
    {
        _path = path;
        Text = text;
        _root = root;
    }

    /// <summary>The keys of <c>output:</c> and of <c>run:</c>.</summary>
    public static (IEnumerable<string> Output, IEnumerable<string> Run) Keys => (s_outputKeys.Keys, s_runKeys.Keys);

    /// <summary>Its path, as it was given.</summary>
    public string Path => _path;

    /// <summary>All of it.</summary>
    public string Text { get; }

    /// <summary>What the last <see cref="Request"/> asks of each module, in the order of the file.</summary>
    public IReadOnlyList<ModuleWords> Asked { get; private set; } = [];

    /// <summary>The profiles by name; none where the file is one trace.</summary>
    public IReadOnlyList<string> Profiles =>
        Get(_root, "profiles") is { } profiles ? [.. Mapping(profiles, "profiles").Children.Keys.Select(KeyText)] : [];

    /// <summary>Does it say which profile is meant where none is named?</summary>
    public bool HasDefault => Get(_root, "default") is not null;

    /// <summary>Reads a file; its values are looked at by <see cref="Request"/>.</summary>
    /// <param name="path">A regular file, or <c>-</c> for standard input.</param>
    /// <exception cref="UsageException">It cannot be read, or is no mapping in YAML.</exception>
    public static ConfigFile Read(string path)
    {
        string text = ReadText(path);
        var scanner = new Scanner(new StringReader(text));
        try
        {
            RefuseWhatNobodyWrites(path, new Parser(scanner));
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            return stream.Documents switch
            {
                [] => throw Wrong(path, Mark.Empty, "it is empty; it needs modules:, or profiles:"),
                [{ RootNode: YamlMappingNode root }] => new ConfigFile(path, text, root),
                [var other] => throw Wrong(path, other.RootNode.Start, "a configuration is a mapping, such as modules: {syscall: {}}"),
                _ => throw Wrong(path, stream.Documents[1].RootNode.Start, "there is a second document; give each a file of its own"),
            };
        }
        catch (YamlException cause)
        {
            throw Wrong(path, cause.Start, Escaping.ForMessage(cause.Message).TrimEnd('.'));
        }
        catch (Exception cause) when (cause is InvalidOperationException or ArgumentException or FormatException)
        {
            // YamlDotNet throws these at some malformed text, and they say neither where nor what.
            throw Wrong(
                path, scanner.CurrentPosition,
                "what stands here, or just before, is no YAML; look for a sign too many, or a missing blank, colon or quote");
        }
    }

    /// <summary>Every mistake of a profile, in the order of the file as far as it can be read.</summary>
    /// <param name="profile">Its name; none for the default, or for a file without profiles.</param>
    public IReadOnlyList<string> Mistakes(string? profile)
    {
        _mistakes = [];
        try
        {
            if (ReadModules(profile) is { Count: > 0 } parts)
                _ = Join(parts);
        }
        catch (UsageException last)
        {
            _mistakes.Add(last.Message);
        }

        var all = _mistakes;
        _mistakes = null;
        return all;
    }

    /// <summary>What a profile asks for, checked as a command line is.</summary>
    /// <param name="profile">Its name; none for the default, or for a file without profiles.</param>
    /// <exception cref="UsageException">Something in it is wrong: says where.</exception>
    public TraceRequest Request(string? profile) => Join(ReadModules(profile));

    // What is asked of each module; where all mistakes are looked for, of those that have none.
    private List<TraceRequest> ReadModules(string? profile)
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
        string[] known = [.. ModuleCatalog.All.Select(static module => module.Name)];
        RefuseUnknown(modules, known, "module");

        var parts = new List<TraceRequest>();
        var read = new List<ModuleWords>();
        foreach (var (key, value) in modules.Children.Where(entry => known.Contains(KeyText(entry.Key))))
        {
            try
            {
                var (request, words) = ReadModule(KeyText(key), key, value, flags, common, new(places, StringComparer.Ordinal));
                parts.Add(request);
                read.Add(new ModuleWords(KeyText(key), words));
            }
            catch (UsageException wrong)
            {
                Report(wrong);
            }
        }

        Asked = read;
        return parts;
    }

    // The first mistake ends it, unless all are looked for. What is the same for all modules is one mistake.
    private void Report(UsageException mistake)
    {
        if (_mistakes is null)
            throw mistake;
        if (!_mistakes.Contains(mistake.Message))
            _mistakes.Add(mistake.Message);
    }

    private (TraceRequest Request, List<string> Words) ReadModule(
        string name, YamlNode key, YamlNode value, TraceFlags flags, List<string> common, Dictionary<string, Mark> places)
    {
        var words = new List<string> { "--module", name };
        if (value is not YamlScalarNode { Value: null or "" })
        {
            var body = Mapping(value, name);
            RefuseUnknown(body, ["flags"]);
            if (Get(body, "flags") is { } flagsNode)
            {
                var module = ModuleCatalog.All.First(module => module.Name == name);
                var known = module.Filters.Select(static filter => filter.Name).Concat(module.Flags.Select(static flag => flag.Name))
                    .ToDictionary(static flag => flag, static flag => "--" + flag, StringComparer.Ordinal);
                AddAll(Mapping(flagsNode, "flags"), known, $"flag of {name}", flags, words, places);
            }
        }

        words.AddRange(common);
        while (true)
        {
            try
            {
                return (Parse(words, flags), words);
            }
            catch (UsageException wrong)
            {
                string blamed = wrong.Message.Split(':')[0];
                var mistake = Wrong(places.TryGetValue(blamed, out var place) ? place : key.Start, wrong.Message);
                // What it lacks without that flag is no mistake of the file.
                if (_mistakes is null
                    || words.RemoveAll(word => word == blamed || word.StartsWith(blamed + "=", StringComparison.Ordinal)) == 0)
                    throw mistake;
                Report(mistake);
            }
        }
    }

    private static TraceRequest Parse(List<string> words, TraceFlags flags)
    {
        var root = new RootCommand();
        foreach (var option in flags.All)
            root.Add(option);
        var parsed = root.Parse(words, new ParserConfiguration { ResponseFileTokenReplacer = null });
        return parsed.Errors.Count == 0 ? TraceRequest.Read(parsed, flags)
            : throw new UsageException(Escaping.ForMessage(parsed.Errors[0].Message));
    }

    // Filters and flags keep to their module; output and run are the same for all.
    private static TraceRequest Join(List<TraceRequest> parts)
    {
        var first = parts[0];
        return first with
        {
            Options = first.Options with
            {
                Modules = [.. parts.SelectMany(static part => part.Options.Modules)],
                Filters =
                    [.. parts.SelectMany(
                    static part => part.Options.Filters.Select(filter => filter with { Module = part.Options.Modules[0].Name }))],
                Arguments = ModuleArguments.None,
                OwnArguments =
                    parts.ToDictionary(
                    static part => part.Options.Modules[0].Name, static part => part.Options.Arguments, StringComparer.Ordinal),
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
            : throw Wrong(
                place, $"unknown profile '{Escaping.ForMessage(profile)}'{NearestName.Hint(profile, Profiles)} (available: " +
                $"{string.Join(", ", Profiles)})");
    }

    private void AddSection(
        YamlMappingNode trace, string section, Dictionary<string, string> known, TraceFlags flags, List<string> words, Dictionary<string,
        Mark> places)
    {
        if (Get(trace, section) is { } node)
            AddAll(Mapping(node, section), known, $"key of {section}", flags, words, places);
    }

    private void AddAll(
        YamlMappingNode values, Dictionary<string, string> known, string what, TraceFlags flags, List<string> words, Dictionary<string,
        Mark> places)
    {
        RefuseUnknown(values, [.. known.Keys], what);
        foreach (var (key, value) in values.Children.Where(entry => known.ContainsKey(KeyText(entry.Key))))
        {
            string flag = known[KeyText(key)];
            places[flag] = value.Start;
            try
            {
                words.AddRange(
                    Words(key, value, flags.All.FirstOrDefault(option => option.Name == flag)
                    ?? throw Wrong(key.Start, $"{flag} does not exist")));
            }
            catch (UsageException wrong)
            {
                Report(wrong);
            }
        }
    }

    private List<string> Words(YamlNode key, YamlNode value, Option option)
    {
        if (option is Option<bool>)
        {
            return value is YamlScalarNode { Value: "true" } ? [option.Name]
                : value is YamlScalarNode { Value: "false" } ? [] : throw Wrong(value.Start, $"{KeyText(key)} is true or false");
        }

        // An item of a list is one value already, whatever it holds.
        bool split = option is not Option<string[]> || value is not YamlSequenceNode;
        var items = value is YamlSequenceNode list ? list.Children : [value];
        if (items.Count == 0)
            throw Wrong(value.Start, $"{KeyText(key)}: the list is empty; leave it out instead");
        return [.. items.Select(
            item => Scalar(item, KeyText(key)) is { Length: > 0 } text ? $"{option.Name}={(split ? text : ListText.Escape(text))}"
            : throw Wrong(item.Start, $"{option.Name}: the value is empty"))];
    }

    private void RefuseUnknown(YamlMappingNode mapping, IReadOnlyList<string> known, string what = "key")
    {
        foreach (var key in mapping.Children.Keys)
        {
            string name = KeyText(key);
            if (known.Contains(name))
                continue;
            string hint = what == RunKey && s_outputKeys.ContainsKey(name) ? "; it belongs under output:"
                : what == OutputKey && s_runKeys.ContainsKey(name) ? "; it belongs under run:" : NearestName.Hint(name, known);
            Report(Wrong(key.Start, $"unknown {what} '{Escaping.ForMessage(name)}'{hint} (available: {string.Join(", ", known)})"));
        }
    }

    private YamlMappingNode Mapping(YamlNode node, string name) =>
        node as YamlMappingNode
            ?? throw Wrong(node.Start, $"{Escaping.ForMessage(name)} is a mapping: lines of key: value, indented below it");

    private string Scalar(YamlNode node, string name) => !node.Tag.IsEmpty && node.Tag.Value.StartsWith('!') && node.Tag.Value.Length > 1
        ? throw Wrong(
            node.Start,
            $"{Escaping.ForMessage(name)}: to YAML '!' begins a type; write the value in quotes: '{Escaping.ForMessage(node.Tag.Value)}'")
        : node is YamlScalarNode { Value: { } text } ? text
            : throw Wrong(node.Start, $"{Escaping.ForMessage(name)} is a value, or a list of values");

    private string KeyText(YamlNode key) => key is YamlScalarNode { Value: { } text } ? text : throw Wrong(key.Start, "a key is a word");

    private static YamlNode? Get(YamlMappingNode mapping, string name) =>
        mapping.Children.FirstOrDefault(entry => entry.Key is YamlScalarNode { Value: { } text } && text == name).Value;

    private static string ReadText(string path)
    {
        byte[] buffer = new byte[BytesMax + 1];
        int length;
        try
        {
            using var file = OpenRegular(path);
            length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path}: {Escaping.ForMessage(cause.Message)}");
        }

        if (length > BytesMax)
            throw new UsageException($"{path}: more than {BytesMax} bytes is no configuration");
        var bytes = buffer.AsSpan(0, length);
        if (!Utf8.IsValid(bytes))
        {
            int valid = 0;
            while (Rune.DecodeFromUtf8(bytes[valid..], out _, out int count) == OperationStatus.Done)
                valid += count;
            int line = bytes[..valid].Count((byte)'\n') + 1;
            throw new UsageException($"{path}:{line}:{valid - bytes[..valid].LastIndexOf((byte)'\n')}: it is not UTF-8");
        }

        return Encoding.UTF8.GetString(bytes);
    }

    // Nothing that a read could wait for without an end: a FIFO without a writer, a device.
    private static FileStream OpenRegular(string path)
    {
        const int readOnlyNonBlockingCloexec = 0x80800; // include/uapi/asm-generic/fcntl.h
        if (path == "-")
            return new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0);
        if (Directory.Exists(path))
            throw new UsageException($"{path}: it is a folder");
        var handle = new SafeFileHandle(LibC.Open(path, readOnlyNonBlockingCloexec), ownsHandle: true);
        if (handle.IsInvalid)
        {
            int errno = Marshal.GetLastPInvokeError();
            throw new UsageException($"{path}: {(errno == Errno.ENOENT ? "no such file" : Marshal.GetPInvokeErrorMessage(errno))}");
        }

        var file = new FileStream(handle, FileAccess.Read, bufferSize: 0);
        if (file.CanSeek)
            return file;
        file.Dispose();
        throw new UsageException($"{path}: it is not a regular file; standard input is -");
    }

    // An alias can stand for a tree that is larger than memory, and nesting for more than the stack: both before anything is built.
    private static void RefuseWhatNobodyWrites(string path, Parser parser)
    {
        int depth = 0;
        int values = 0;
        while (parser.MoveNext())
        {
            if (parser.Current is AnchorAlias)
                throw Wrong(path, parser.Current.Start, "aliases (*name) are not understood; write it out");
            if (++values > ValuesMax)
                throw Wrong(path, parser.Current!.Start, $"more than {ValuesMax} values are no configuration");
            depth += parser.Current!.NestingIncrease;
            if (depth > DepthMax)
                throw Wrong(path, parser.Current.Start, "nothing here is nested that deep");
        }
    }

    private UsageException Wrong(Mark place, string why) => Wrong(_path, place, why);

    private static UsageException Wrong(string path, Mark place, string why) =>
        new($"{path}:{Math.Max(place.Line, 1)}:{Math.Max(place.Column, 1)}: {why}");
}
