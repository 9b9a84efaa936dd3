// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Runtime.InteropServices;
using Veil.Cli.Config;
using Veil.Core;
using Veil.Core.Control;
using Veil.Core.Export;
using Veil.Core.Filters;
using Veil.Core.Interop;
using Veil.Core.Service;
using Veil.Core.Text;
using Veil.Modules;

namespace Veil.Cli.Service;

/// <summary>
/// The main process of a service: it starts the process that traces, keeps the sockets, and sleeps. On SIGHUP it reads the configuration
/// anew. What differs in filters alone is changed in the running trace; for all else a new trace is attached before the old one ends, and
/// events belong to one of them by their time (docs/adr/0046).
/// </summary>
internal sealed unsafe class ServiceSupervisor : IDisposable
{
    // The check of the largest program takes an emulated CPU minutes; how long a service may take to start is the manager's to say.
    private const int ReadyMs = 300_000;
    private const int LookMs = 200;
    private const int AnswerMs = 10_000;
    private const int EndMs = 15_000;

    // Both traces know of the moment before it comes; calls that are under way then have some time to end in the old one.
    private const long HandOverNs = 100_000_000;
    private const int GraceMs = 400;

    private readonly string _path;
    private readonly string? _profile;
    private readonly ServiceNotifier? _notifier;
    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly int _wake = LibC.EventFd(0, 0x80800); // EFD_CLOEXEC | EFD_NONBLOCK
    private int _stops;
    private int _reloads;
    private Running? _running;

    private ServiceSupervisor(string path, string? profile)
    {
        (_path, _profile) = (path, profile);
        _notifier = ServiceNotifier.Open();
        Listen(PosixSignal.SIGHUP, () => Interlocked.Increment(ref _reloads));
        Listen(PosixSignal.SIGTERM, () => Interlocked.Increment(ref _stops));
        Listen(PosixSignal.SIGINT, () => Interlocked.Increment(ref _stops));
    }

    /// <summary>A service manager has started this process, and a file says what to trace.</summary>
    public static bool IsAsked(string path) =>
        path != "-" && ServiceWorker.Current is null && Environment.GetEnvironmentVariable(ServiceNotifier.Variable) is { Length: > 0 };

    /// <summary>Is the service until its end; the exit code.</summary>
    /// <param name="path">The configuration.</param>
    /// <param name="profile">Its profile, or none.</param>
    public static int Run(string path, string? profile)
    {
        using var supervisor = new ServiceSupervisor(path, profile);
        return supervisor.Run();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _running?.Control?.Dispose();
        _running?.Metrics?.Dispose();
        _running?.Process.Dispose();
        _notifier?.Dispose();
        _ = LibC.Close(_wake);
    }

    private int Run()
    {
        var first = ConfigFile.Read(_path);
        var next = Prepare(first, first.Request(_profile));
        _running = next;
        if (!IsReady(next))
            return next.Process.WaitForEnd();
        next.Process.Channel.TrySend("go", "0");
        TellReady();
        var wait = stackalloc LibC.PollFd[2];
        Span<byte> wakes = stackalloc byte[sizeof(ulong)];
        while (true)
        {
            wait[0] = new() { Fd = _wake, Events = LibC.PollIn };
            wait[1] = new() { Fd = _running.Process.Channel.Fd, Events = LibC.PollIn };
            if (LibC.Poll(wait, 2, -1) < 0)
                continue;
            _ = LibC.Read(_wake, wakes);
            if (Volatile.Read(ref _stops) > 0)
                return Stop(_running);
            if (wait[1].Returned != 0 && _running.Process.Channel.Receive(0, out bool hasEnded).Length == 0 && hasEnded)
                return Ended(_running);
            if (Interlocked.Exchange(ref _reloads, 0) > 0)
                Reload();
        }
    }

    private void TellReady() => _notifier?.Tell(
        $"READY=1\nSTATUS=tracing {string.Join(", ", _running!.Words.Select(static words => words.Module))}");

    private int Stop(Running running)
    {
        _notifier?.Tell("STOPPING=1\nSTATUS=writing what is left");
        running.Process.Channel.TrySend("stop");
        return running.Process.WaitForEnd();
    }

    // By --duration or --max-events, or because it failed: it has said why, unless a signal ended it.
    private int Ended(Running running)
    {
        _notifier?.Tell("STOPPING=1");
        int code = running.Process.WaitForEnd();
        if (code > 128)
        {
            string signal = (code - 128).ToString(CultureInfo.InvariantCulture);
            Messages.Write($"the process that traces was ended by signal {signal}", Messages.Error);
        }

        return code;
    }

    private void Reload()
    {
        _notifier?.Reloading();
        try
        {
            var file = ConfigFile.Read(_path);
            Messages.Write($"reload: {Escaping.ForMessage(_path)}: {Apply(file, file.Request(_profile))}");
        }
        catch (VeilException wrong)
        {
            Messages.Write($"reload: {wrong.Message}; the old configuration goes on", Messages.Error);
        }

        TellReady();
    }

    private string Apply(ConfigFile file, TraceRequest request)
    {
        var running = _running!;
        if (Same(running.Words, file.Asked, static words => words.Words))
            return "nothing has changed";
        if (Same(running.Words, file.Asked, static words => words.Fixed) && TryChangeFilters(running, file.Asked) is { } changed)
            return $"{changed} changed in the running trace";
        if (request.Options.Record is { } record && running.Request.Options.Record?.Path == record.Path)
            throw StaysOpen(file, record.Path, "recorded");
        if (request.Options.WriteTo is { } written && running.Request.Options.WriteTo == written)
            throw StaysOpen(file, written, "written");
        Replace(running, Prepare(file, request));
        return "a new trace has taken over";
    }

    private static VeilException StaysOpen(ConfigFile file, string path, string what) => new(
        $"{file.Path}: {Escaping.ForMessage(path)} is being {what} by the running trace: give another name, or restart the service");

    private static bool Same(IReadOnlyList<ModuleWords> one, IReadOnlyList<ModuleWords> other, Func<ModuleWords, IEnumerable<string>> of) =>
        one.Count == other.Count && one.Zip(other).All(pair => of(pair.First).SequenceEqual(of(pair.Second), StringComparer.Ordinal));

    // What was changed; nothing where it takes a new trace: kinds of events decide which hooks there are.
    private static string? TryChangeFilters(Running running, IReadOnlyList<ModuleWords> wanted)
    {
        var message = new List<string> { "filters" };
        var names = new List<string>();
        foreach (var (before, after) in running.Words.Zip(wanted))
        {
            var module = ModuleCatalog.All.First(module => module.Name == after.Module);
            ILookup<string, string> old = before.Filters, values = after.Filters;
            foreach (
                var dimension in module.Filters.Where(
                filter => !old[filter.Name].SequenceEqual(values[filter.Name], StringComparer.Ordinal)))
            {
                if (dimension is EnumDimension)
                    return null;
                string[] given = [.. values[dimension.Name]];
                message.AddRange([module.Name, dimension.Name, given.Length.ToString(CultureInfo.InvariantCulture), .. given]);
                names.Add($"{module.Name} {dimension.Name}");
            }
        }

        if (!running.Process.Channel.TrySend([.. message]) || running.Process.Channel.Receive(AnswerMs, out _) is not ["done"])
            return null;
        running.Words = wanted;
        return string.Join(", ", names);
    }

    private void Replace(Running old, Running next)
    {
        if (!IsReady(next))
        {
            _ = next.Process.WaitForEnd();
            Release(next, old);
            throw new VeilException("the new trace could not be started");
        }

        string at = ((ulong)(LibC.NowNs(LibC.ClockBoottime) + HandOverNs)).ToString(CultureInfo.InvariantCulture);
        old.Process.Channel.TrySend("until", at);
        next.Process.Channel.TrySend("go", at);
        Thread.Sleep(GraceMs);
        old.Process.Channel.TrySend("stop");
        bool hasEnded;
        do
        {
            _ = old.Process.Channel.Receive(EndMs, out hasEnded);
        }
        while (!hasEnded && Volatile.Read(ref _stops) == 0 && !TimedOut());
        _running = next;
        Release(old, next);
        if (hasEnded)
            _ = old.Process.WaitForEnd();

        static bool TimedOut()
        {
            Messages.Write("warning: the old trace takes long to write what is left; it ends by itself");
            return true;
        }
    }

    // It does not look at the channel while it attaches: a stop is a signal to it then.
    private bool IsReady(Running running)
    {
        bool isAsked = false;
        for (long until = Environment.TickCount64 + ReadyMs; ;)
        {
            if (running.Process.Channel.Receive(LookMs, out bool hasEnded) is ["ready"])
                return true;
            if (hasEnded)
                return false;
            if (!isAsked && (Volatile.Read(ref _stops) > 0 || Environment.TickCount64 > until))
            {
                running.Process.Terminate();
                isAsked = true;
            }
        }
    }

    // Sockets that stay are handed on; others are opened now, so that a port that is taken costs nobody the trace that runs.
    private Running Prepare(ConfigFile file, TraceRequest request)
    {
        var old = _running;
        ControlServer? control = null;
        MetricsServer? metrics = null;
        try
        {
            control = request.Control is null && request.ControlGroup is null ? null
                : old?.Control is { } same && (old.Request.Control, old.Request.ControlGroup) == (request.Control, request.ControlGroup)
                ? same
                : TraceCommand.OpenControl(request.Control, request.ControlGroup);
            metrics = request.Export.Metrics is null ? null
                : old?.Metrics is { } port && old.Request.Export.Metrics!.Equals(request.Export.Metrics) ? port
                : request.Export.OpenMetrics();
            var process = ServiceProcess.Start(
                ServiceWorker.CommandLineOf(control is not null, metrics is not null, _profile), file.Text, control?.Listener ?? -1,
                metrics?.Listener ?? -1);
            return new Running(process, request, control, metrics) { Words = file.Asked };
        }
        catch
        {
            if (control != old?.Control)
                control?.Dispose();
            if (metrics != old?.Metrics)
                metrics?.Dispose();
            throw;
        }
    }

    // What another one still has stays open.
    private static void Release(Running gone, Running kept)
    {
        if (gone.Control != kept.Control)
            gone.Control?.Dispose();
        if (gone.Metrics != kept.Metrics)
            gone.Metrics?.Dispose();
        gone.Process.Dispose();
    }

    private void Listen(PosixSignal signal, Action take) => _registrations.Add(PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        take();
        ulong one = 1;
        _ = LibC.Write(_wake, (byte*)&one, sizeof(ulong));
    }));

    private sealed record Running(ServiceProcess Process, TraceRequest Request, ControlServer? Control, MetricsServer? Metrics)
    {
        public required IReadOnlyList<ModuleWords> Words { get; set; }
    }
}
