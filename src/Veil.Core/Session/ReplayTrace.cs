// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Core.Calls;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Interop;
using Veil.Core.Kernel;
using Veil.Core.Modules;
using Veil.Core.Options;
using Veil.Core.Output;
using Veil.Core.Pipeline;
using Veil.Core.Recordings;
using Veil.Core.Sinks;
using Veil.Core.Text;
using Veil.Core.Waiting;

namespace Veil.Core.Session;

/// <summary>A trace of recordings: the pipeline of a live one on another source. It needs no right but to read them, and asks nothing of this
/// machine's kernel.</summary>
internal sealed class ReplayTrace : IDisposable
{
    private readonly IReadOnlyList<RecordingReader> _files;
    private readonly RecordedNames _names = new();
    private readonly RecordedFilters _filters;
    private SessionOptions? _options;
    private readonly IReadOnlyList<string> _missing;
    private readonly bool _wholeSet;
    private RecordingSource? _source;

    private ReplayTrace(
        IReadOnlyList<RecordingReader> files, IReadOnlyList<TraceModule> known, IReadOnlyList<string> missing, bool wholeSet)
    {
        _files = files;
        _missing = missing;
        _wholeSet = wholeSet;
        var description = Description;
        if (description.Events.Count == 0)
            throw new RecordingException("replay: the recording describes no events");
        Modules = [.. description.Modules.Select(module => new RecordedModule(
            known.FirstOrDefault(some => some.Name == module.Name)
            ?? throw new RecordingException($"replay: module {Escaping.ForMessage(module.Name)} was recorded, which this veil does not have"),
            module.Constants, module.Aliases, FilterOf))];
        _filters = new RecordedFilters(description, _names);
        Use();
    }

    /// <summary>The description of the first file, which those of the others are like.</summary>
    public RecordingDescription Description => _files[0].Description;

    /// <summary>The modules, by their numbers.</summary>
    public IReadOnlyList<RecordedModule> Modules { get; }

    /// <summary>Could something not be read?</summary>
    public bool IsIncomplete => _missing.Count > 0 || _source?.IsIncomplete == true;

    /// <summary>Has values shown as this recording has them, from now on: opening one does that, and the last one opened holds.</summary>
    public void Use()
    {
        var description = Description;
        // Of the machine where it was recorded.
        SyscallTable.Native = description.Machine;
        ReasonKind.AllNames = [.. description.Reasons, .. Enumerable.Repeat<byte[]?[]>([], ReasonKind.Sets - Math.Min(ReasonKind.Sets, description.Reasons.Length))];
        CallOptions.Current = description.Calls;
    }

    /// <summary>Opens recordings.</summary>
    /// <param name="paths">At least one; of a recording of several files the first name stands for all.</param>
    /// <param name="known">The modules that there are.</param>
    /// <exception cref="RecordingException">One cannot be read, or they do not belong together.</exception>
    public static ReplayTrace Open(IReadOnlyList<string> paths, IReadOnlyList<TraceModule> known)
    {
        var files = new List<(RecordingReader Reader, string Path)>();
        var missing = new List<string>();
        try
        {
            foreach (string path in paths.SelectMany(PartsOf).DistinctBy(static path => path == "-" ? path : Path.GetFullPath(path)))
            {
                if (Reader(path, !paths.Contains(path), out string why) is not { } reader)
                {
                    missing.Add(why);
                    continue;
                }

                // What belongs to another recording has only a name like a part of this one.
                var same = files.Find(file => Order(file.Reader.Description) == Order(reader.Description));
                if (same.Reader is null
                    && (paths.Contains(path) || files.Count == 0 || files[^1].Reader.Description.Set == reader.Description.Set))
                {
                    files.Add((reader, path));
                    continue;
                }

                reader.Dispose();
                if (same.Reader is not null && Path.GetFullPath(same.Path) != Path.GetFullPath(path))
                    throw new RecordingException(
                        $"replay: {Escaping.ForMessage(path)} has events that {Escaping.ForMessage(same.Path)} has too: replay each alone");
            }

            if (files.Count == 0)
                throw new RecordingException(missing[0]);
            files.Sort(static (one, other) => Order(one.Reader.Description).CompareTo(Order(other.Reader.Description)));
            foreach (var (reader, path) in files)
            {
                if (!reader.Description.IsLike(files[0].Reader.Description))
                    throw new RecordingException(
                        $"replay: {Escaping.ForMessage(path)} has other events than {Escaping.ForMessage(files[0].Path)}: replay each alone");
            }

            missing.AddRange(files.Zip(files.Skip(1)).Select(static pair => Gap(pair.First, pair.Second)).OfType<string>());
            // Who names one file of several, or gives it by a pipe, wants that one.
            bool wholeSet = !paths.Contains("-") && (files[0].Reader.Description.Part == 0 || !paths.All(Path.Exists));
            return new ReplayTrace([.. files.Select(static file => file.Reader)], known, missing, wholeSet);
        }
        catch
        {
            foreach (var (reader, _) in files)
                reader.Dispose();
            throw;
        }
    }

    /// <summary>The recorded events of some modules, as they are shown.</summary>
    /// <param name="originFields">The fields of <c>struct veil_origin</c> that are.</param>
    /// <param name="isChosen">Is the module of that number shown?</param>
    /// <param name="all">Of them also what no other form has than the one that it is emitted for.</param>
    public EventCatalog Events(IReadOnlySet<string>? originFields, Func<int, bool> isChosen, bool all = true)
    {
        var catalog = new EventCatalog(originFields?.Intersect(Description.OriginFields ?? new HashSet<string>()).ToHashSet());
        try
        {
            foreach (var facts in Description.Events.Where(facts => isChosen(facts.Module) && (all || !IsOfStraceAlone(facts))))
                catalog.Add(facts.Layout, Description.Origin, Modules[facts.Module], facts.Kind);
        }
        catch (Exception cause) when (RecordingSource.IsOfDamage(cause))
        {
            throw new RecordingException("replay: the recording describes events that cannot be");
        }

        return catalog;
    }

    private bool IsOfStraceAlone(RecordingDescription.EventFacts facts) =>
        Modules[facts.Module].EventsOfStrace?.Beside.Contains(facts.Layout.Name) == true;

    /// <summary>Refuses filters that nothing recorded can be asked about.</summary>
    /// <param name="options">The filters.</param>
    /// <param name="shown">The events that they are to be asked about.</param>
    /// <exception cref="UsageException">There is one.</exception>
    public void RequireFilters(SessionOptions options, EventCatalog shown)
    {
        foreach (var (number, module) in Modules.Index().Where(module => options.Modules.Contains(module.Item)))
        {
            _filters.RequireKinds(module, Description.Modules[number], options);
            _filters.Require(module, [.. shown.SchemasOf(number)], options);
        }
    }

    /// <summary>Says when the recording was, where nothing of it is of the time that was asked for. After all of it was read.</summary>
    public void TellOfOtherTimes(ReplayRange range, Action<string> message)
    {
        ulong first = _files.Min(static file => file.FirstNs), last = _files.Max(static file => file.LastNs);
        var (bootNs, realNs) = Description.Begun;
        if (first <= last && (range.FromNs > last || range.ToNs < first))
            message(
                $"nothing was recorded at the time that was asked for: the events are of {ReplayRange.TimeText((long)first - bootNs + realNs)} to " +
                ReplayRange.TimeText((long)last - bootNs + realNs));
    }

    /// <summary>Refuses to write to a file that is read: the events would be gone before they are shown.</summary>
    /// <param name="flag">The flag that names it.</param>
    /// <param name="path">The file; nothing: standard output.</param>
    /// <exception cref="UsageException">It is one of them, by whatever name.</exception>
    public void RequireOther(string flag, string? path)
    {
        bool isThere = path is null ? LibC.TryGetFacts(StandardStreams.Output, out var facts) : LibC.TryGetFacts(path, out facts);
        if (isThere && facts.Type == LibC.FileType.Regular && _files.Any(file => file.IsSame(facts)))
            throw new UsageException(
                path is null ? $"{flag} is the recording that is read; send it to another file"
                : $"{flag}: {Escaping.ForMessage(path)} is the recording that is read; give another name");
    }

    /// <summary>Were all the events of a kind recorded, of a module that is?</summary>
    public bool HasEvents(TraceModule module, EventKind kind)
    {
        var structs = Description.Events.Where(facts => Modules[facts.Module] == module).Select(static facts => facts.Layout.Name).ToHashSet();
        return structs.Contains(kind.Struct) && kind.Beside.All(structs.Contains);
    }

    /// <summary>Begins.</summary>
    /// <param name="options">What is shown.</param>
    /// <param name="shown">Its events.</param>
    /// <param name="range">The time that it is of.</param>
    /// <param name="stop">Ends it.</param>
    /// <param name="message">Takes a line for the user.</param>
    /// <param name="file">Where events go; none: a standard stream.</param>
    public TraceSession Start(
        SessionOptions options, EventCatalog shown, ReplayRange range, StopSignal stop, Action<string> message, OutputFile? file)
    {
        file?.Empty();
        _options = options;
        return new TraceSession(
            Source(shown, range, message), [new TraceOutput(options.Output, new FdOutput(file?.Fd ?? options.Stream, stop))], options, stop, message);
    }

    /// <summary>Begins, for what is no output of lines.</summary>
    /// <param name="options">What is given.</param>
    /// <param name="shown">Its events.</param>
    /// <param name="range">The time that it is of.</param>
    /// <param name="stop">Ends it.</param>
    /// <param name="message">Takes a line for the user.</param>
    /// <param name="export">Takes the events.</param>
    /// <param name="snapshot">Takes the machine as it was when a file was begun, before its events.</param>
    public TraceSession StartExport(
        SessionOptions options, EventCatalog shown, ReplayRange range, StopSignal stop, Action<string> message, IExport export,
        Action<RecordedSnapshot> snapshot)
    {
        _options = options;
        return new TraceSession(Source(shown, range, message, snapshot), [], options, stop, message, export: export);
    }

    /// <summary>The recordings as a source.</summary>
    internal RecordingSource Source(
        EventCatalog shown, ReplayRange range, Action<string> message, Action<RecordedSnapshot>? snapshot = null)
    {
        foreach (string missing in _missing)
            message(missing);
        return _source = new RecordingSource(_files, _names, Events(null, static _ => true), shown, Modules, range, message, _wholeSet)
        {
            SnapshotFound = snapshot,
        };
    }

    public void Dispose()
    {
        foreach (var file in _files)
            file.Dispose();
    }

    // One that was found by its name alone, or whose recorder was ended before it had a beginning, does not keep others from being shown.
    private static RecordingReader? Reader(string path, bool isFound, out string why)
    {
        why = "";
        try
        {
            return RecordingReader.Open(path);
        }
        catch (RecordingException cause) when (isFound || cause.IsUnbegun)
        {
            why = cause.Message;
            return null;
        }
    }

    private static string? Gap((RecordingReader Reader, string Path) before, (RecordingReader Reader, string Path) after)
    {
        var (one, other) = (before.Reader.Description, after.Reader.Description);
        int files = other.Part - one.Part - 1;
        return one.Set != other.Set || files <= 0 ? null
            : $"the recording is not whole: {(files == 1 ? "a file is" : $"{files} files are")} missing between " +
            $"{Escaping.ForMessage(before.Path)} and {Escaping.ForMessage(after.Path)}";
    }

    // Of a recording of several files the name of the first stands for all, also where that is gone.
    private static IEnumerable<string> PartsOf(string path)
    {
        if (path == "-")
            return [path];
        string folder = Path.GetDirectoryName(path) ?? "", name = Path.GetFileName(path);
        var parts = new SortedDictionary<int, string>();
        try
        {
            foreach (string file in name.Length > 0 ? Directory.EnumerateFiles(folder.Length > 0 ? folder : ".", "*") : [])
            {
                string found = Path.GetFileName(file);
                if (found.StartsWith(name + ".", StringComparison.Ordinal)
                    && int.TryParse(found.AsSpan(name.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int part))
                    parts[part] = Path.Combine(folder, found);
            }
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            // What cannot be listed can perhaps be opened.
        }

        return parts.Count > 0 && !Path.Exists(path) ? parts.Values : [path, .. parts.Values];
    }

    private EventFilter? FilterOf(EventSchema schema) =>
        _options is { } options ? _filters.Of(Modules[(int)(schema.Kind / EventCatalog.KindsPerModule)], schema, options) : null;

    private static (long, string, int) Order(RecordingDescription description) => (description.Started.RealNs, description.Set, description.Part);
}
