// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Veil.Bpf.Interop;
using Veil.Core.Calls;
using Veil.Core.Events.Kinds;
using Veil.Core.Interop;
using Veil.Core.Kernel;
using Veil.Core.Losses;
using Veil.Core.Modules;
using Veil.Core.Options;
using Veil.Core.Privileged;
using Veil.Core.Sinks;
using Veil.Core.Sources;
using Veil.Core.Text;

namespace Veil.Core.Recordings;

/// <summary>The recording of a trace. It is made before the privileges are dropped, and written behind the trace.</summary>
public sealed class Recorder : IDisposable
{
    /// <summary>What loses under this name is the recording, and not the trace.</summary>
    internal const string Losing = "recording";

    private readonly RecordOptions _options;
    private readonly RecordingFile _file;
    private RecordingWriter? _writer;
    private RecordingSink? _sink;
    private ulong _droppedSeen;
    private ulong _notWrittenSeen;
    private bool _hasSaidWhy;

    private Recorder(RecordOptions options)
    {
        _options = options;
        _file = RecordingFile.Open(options);
    }

    /// <summary>What is found out of events for it, whatever is shown: what costs next to nothing.</summary>
    public const Enrichments Always = Enrichments.Time | Enrichments.User;

    /// <summary>The folder and the name of a recording of several files; none where it is one.</summary>
    internal (int Folder, string Name)? Rotating => _options is { SizeBytes: null, Flight: null } ? null : _file.Place;

    /// <summary>Could not all be written?</summary>
    public bool HasFailed => _writer?.Failure is not null;

    /// <summary>Makes the file.</summary>
    /// <exception cref="VeilException">It cannot be made.</exception>
    public static Recorder Open(RecordOptions options) => new(options);

    /// <summary>Refuses an output to the recording itself.</summary>
    /// <exception cref="UsageException">It is that, by whatever name.</exception>
    public static void RequireOther(string path, string writeTo)
    {
        bool isSame = Path.GetFullPath(path) == Path.GetFullPath(writeTo)
            || (LibC.TryGetFacts(path, out var one) && LibC.TryGetFacts(writeTo, out var other) && one.Type == LibC.FileType.Regular && one.IsSame(other));
        if (isSame)
            throw new UsageException($"--write: {Escaping.ForMessage(writeTo)} is the file of --record too; give another name");
    }

    /// <summary>Has SIGUSR2 write what is kept, from now on.</summary>
    public IDisposable DumpOnSignal()
    {
        const int sigUsr2 = 12;
        return PosixSignalRegistration.Create((PosixSignal)sigUsr2, context =>
        {
            context.Cancel = true;
            _ = Dump("SIGUSR2");
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _writer?.Dispose();
        _file.Dispose();
    }

    /// <summary>Begins the recording of a source.</summary>
    /// <param name="source">The source.</param>
    /// <param name="options">What the trace was told.</param>
    /// <param name="root">The helper process, or none.</param>
    /// <param name="message">Takes a line for the user. From any thread.</param>
    /// <returns>What takes the events.</returns>
    internal IEventSink Begin(IEventSource source, SessionOptions options, RootClient? root, Action<string> message)
    {
        _file.Root = root;
        var now = (LibC.NowNs(LibC.ClockBoottime), LibC.NowNs(LibC.ClockRealtime));
        var enrichments = options.Output.Enrichments | Always;
        _writer = new RecordingWriter(_file, source.Events, _options.Path, _options.Flight, message);
        var description = new RecordingDescription
        {
            Veil = _options.Veil,
            Set = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(sizeof(ulong))),
            Part = 0,
            Host = KernelFile.Text("/proc/sys/kernel/hostname") ?? "",
            Kernel = KernelFile.Text("/proc/sys/kernel/osrelease") ?? "",
            Machine = SyscallTable.Native,
            Command = [.. Environment.GetCommandLineArgs()],
            Started = now,
            Begun = now,
            Enrichments = enrichments,
            Origin = source.Events.Schemas.Select(static schema => schema.Origin).FirstOrDefault(static origin => origin is not null),
            OriginFields = options.OriginFields,
            Calls = CallOptions.Current,
            Modules = [.. source.Modules.Select(module => new RecordingDescription.ModuleFacts(
                module.Module.Name, module.Hook,
                [.. module.Filters.Where(static filter => filter.Keys.Count > 0).Select(static filter => (filter.Dimension.Name, string.Join(
                ',', filter.Keys.SelectMany(static key => Words(key.Key.Text, key.Value)))))],
                module.Module.Constants, module.Module.FieldAliases)
            {
                Flags = FlagsOf(module.Module, options.FlagsOf(module.Module)),
            })],
            IsSteered = options.TakesCommands,
            Events = [.. source.Events.Schemas.Select(static schema => new RecordingDescription.EventFacts(
                schema.Kind, (int)(schema.Kind / Events.EventCatalog.KindsPerModule), schema.Layout))],
            Reasons = source.Events.Schemas.Any(static schema => schema.Layout.Members.Any(static member => ReasonKind.Typedefs.Contains(member.Type)))
                ? ReasonKind.AllNames : [],
        };
        _writer.Begin(description, Snapshot.Take());
        return _sink = new RecordingSink(_writer, source.Events, enrichments, _options.Flight);
    }

    /// <summary>Has what a flight recorder keeps written. From any thread.</summary>
    /// <param name="why">Who asks.</param>
    /// <param name="fd">Where to, owned; less than 0: a file beside the one that was named.</param>
    /// <param name="waitMs">How long to wait for it.</param>
    /// <returns>Whether it was, and what to say; not within that time: nothing.</returns>
    /// <exception cref="UsageException">Nothing is kept.</exception>
    internal (bool Succeeded, string Text)? Dump(string why, int fd = -1, int waitMs = 0)
    {
        if (_options.Flight is null || _writer is not { } writer)
            throw new UsageException("dump: nothing is kept in memory; a trace does that with --flight SIZE --record FILE");
        var request = new DumpRequest(why, fd);
        writer.Request(request);
        return request.Wait(waitMs);
    }

    /// <summary>Tells of what is missing in the file, since the last call.</summary>
    internal void ReportLosses(ILossObserver observer, Action<string> message)
    {
        if (_writer is not { } writer || _sink is not { } sink)
            return;
        if (writer.Failure is { } why && !_hasSaidWhy)
        {
            message(why);
            _hasSaidWhy = true;
        }

        if (sink.Dropped != _droppedSeen)
            observer.Lost(new(Losing, LossCause.QueueFull), new LossCount(sink.Dropped - _droppedSeen, []));
        _droppedSeen = sink.Dropped;
        if (writer.NotWritten is var notWritten && notWritten != _notWrittenSeen)
            observer.Lost(new(Losing, LossCause.NotRecorded), new LossCount(notWritten - _notWrittenSeen, []));
        _notWrittenSeen = notWritten;
    }

    private static List<(string Name, string Values)> FlagsOf(TraceModule module, ModuleArguments given) =>
        [.. module.Flags.Where(flag => given.IsGiven(flag.Name)).Select(flag => (flag.Name, string.Join(',', given.Of(flag.Name))))];

    private static IEnumerable<string> Words(string text, Filters.FilterBits bits)
    {
        if (bits.HasFlag(Filters.FilterBits.Allow))
            yield return text;
        if (bits.HasFlag(Filters.FilterBits.Deny))
            yield return "!" + text;
    }
}
