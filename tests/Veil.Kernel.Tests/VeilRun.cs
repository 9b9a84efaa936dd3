// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Veil.Bpf;

namespace Veil.Kernel.Tests;

/// <summary>The shipped <c>veil</c> as a process: started, attached, stopped, and all that it said.</summary>
internal sealed class VeilRun : IDisposable
{
    // 7.x preempts programs, and skips their runs for other tasks meanwhile: whoever those are, it counts them. The tests know by
    // themselves what has to be there.
    private static readonly bool s_countsSkipsOfAll = KernelFeatures.KernelVersion.Major >= 7;

    // Before 6.2 a kernel that does not preempt itself has as many places for returning functions as CPUs: who sleeps in one keeps it.
    private static readonly bool s_hasFewReturnProbes = KernelFeatures.KernelVersion < new Version(6, 2);

    // An ordinary user's process with what `setcap cap_bpf,cap_perfmon+ep` gives, and nothing else.
    private static readonly string[] s_withCapabilitiesAlone =
    [
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all,+bpf,+perfmon",
        "--ambient-caps=-all,+bpf,+perfmon", "--bounding-set=-all,+bpf,+perfmon",
    ];

    private readonly bool _mayBeSkipped;

    // The check of the largest program takes an emulated 5.10 a minute.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(120);
    private readonly Process _process;
    private readonly Task<byte[]> _output;
    private readonly StringBuilder _errors = new();
    private readonly TaskCompletionSource _attached = new();
    private readonly Task _errorsRead;

    private VeilRun(IEnumerable<string> arguments, string? wrapper, bool readOutput)
    {
        string[] command =
            [.. HasCapabilitiesAlone && wrapper is null ? s_withCapabilitiesAlone : [], wrapper ?? Repository.Veil, .. arguments];
        var start =
            new ProcessStartInfo(command[0]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in command[1..])
            start.ArgumentList.Add(argument);
        // A program at a tracepoint of perf does not run while one of its kind does on that CPU, and packets come in between.
        _mayBeSkipped = (s_hasFewReturnProbes && start.ArgumentList.Contains("kprobe"))
            || (start.ArgumentList.Contains("network") && start.ArgumentList.Contains("tracepoint"));
        _process = Process.Start(start)!;
        _output = !readOutput ? Task.FromResult(Array.Empty<byte>()) : Task.Run(() =>
        {
            using var memory = new MemoryStream();
            _process.StandardOutput.BaseStream.CopyTo(memory);
            return memory.ToArray();
        });
        _errorsRead = Task.Run(ReadErrors);
    }

    /// <summary>
    /// Does <c>veil</c> run as a user with CAP_BPF and CAP_PERFMON alone, and not as root? <c>VEIL_TEST_AS=capabilities</c> asks for it
    /// (<c>eng/run-tests</c>).
    /// </summary>
    public static bool HasCapabilitiesAlone => Environment.GetEnvironmentVariable("VEIL_TEST_AS") == "capabilities";

    public int Pid => _process.Id;

    public string Errors
    {
        get
        {
            lock (_errors)
                return _errors.ToString();
        }
    }

    public byte[] RawOutput => _output.Result;

    public string[] Lines => Encoding.UTF8.GetString(RawOutput).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public JsonElement[] Events =>
        [.. Lines.Select(static line => JsonDocument.Parse(line).RootElement).Where(record => !IsExpectedSkip(record))];

    /// <summary>Nothing that the trace was asked for.</summary>
    public void ShouldHaveLostNothing()
    {
        if (!MayMissProbes)
            Errors.ShouldContain(", 0 lost");
        Errors.Split('\n')
            .Where(static line => line.StartsWith("veil: lost ", StringComparison.Ordinal)
            && !line.Contains("missed_probe", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    /// <summary>
    /// Is a number of events what it has to be? Where the kernel skips programs that were preempted, it may be off by as many as it
    /// says that it skipped, whoever they were for; a probe's skipped entry makes one more of its returns.
    /// </summary>
    public void ShouldAccountFor(long seen, long expected, string what = "")
    {
        if (!MayMissProbes)
            seen.ShouldBe(expected, $"{what}: {Errors}");
        Math.Abs(expected - seen).ShouldBeLessThanOrEqualTo(Skips, $"{what}: {seen} of {expected}: {Errors}");
    }

    /// <summary>Did the kernel run the programs each time?</summary>
    public bool HasSkippedNothing => Skips == 0;

    /// <summary>What --fail-on-loss ends with: skipped programs may be lost events, where the kernel skips.</summary>
    public int LossCode => MayMissProbes && !HasSkippedNothing ? 3 : 0;

    private long Skips => Errors.Split('\n')
        .Where(static line =>
            line.StartsWith("veil: lost ", StringComparison.Ordinal) && line.Contains("missed_probe (", StringComparison.Ordinal))
        .Sum(static line => long.Parse(line["veil: lost ".Length..].Split(':')[0]));

    /// <summary>Of what the summary calls lost, what need not have been asked for.</summary>
    public long SkipsOfAll => s_countsSkipsOfAll ? Skips : 0;

    private bool MayMissProbes => s_countsSkipsOfAll || _mayBeSkipped;

    private bool IsExpectedSkip(JsonElement record) =>
        MayMissProbes && record.TryGetProperty("evt_type", out var type) && type.ValueEquals("lost") && record.GetProperty("cause")
            .ValueEquals("missed_probe");

    /// <summary>Starts and returns once the hooks are attached.</summary>
    public static VeilRun Attach(params string[] arguments) => Attach(arguments, readOutput: true);

    /// <summary>The same with an output that nobody reads.</summary>
    public static VeilRun AttachUnread(params string[] arguments) => Attach(arguments, readOutput: false);

    /// <summary>The same with the output in a file.</summary>
    public static VeilRun AttachInto(string file, params string[] arguments) =>
        Attach(["-c", "file=$1; shift; exec \"$@\" > \"$file\"", "bash", file, Repository.Veil, .. arguments], readOutput: true, "bash");

    /// <summary>The same under another program, which runs it (<c>valgrind</c>).</summary>
    public static VeilRun AttachUnder(string[] command, params string[] arguments) =>
        Attach([.. command[1..], Repository.Veil, .. arguments], readOutput: true, command[0]);

    /// <summary>The same with an output that nobody reads.</summary>
    public static VeilRun AttachUnreadUnder(string[] command, params string[] arguments) =>
        Attach([.. command[1..], Repository.Veil, .. arguments], readOutput: false, command[0]);

    /// <summary>Starts under what a shell has prepared (limits, mounts), and returns once the hooks are attached or it has ended.</summary>
    public static VeilRun AttachOrEnd(string preparation, params string[] arguments)
    {
        var run = new VeilRun(["-c", preparation + "; exec \"$@\"", "bash", Repository.Veil, .. arguments], "bash", readOutput: true);
        if (!Task.WhenAny(run._attached.Task, run._errorsRead).Wait(s_patience))
            throw new TimeoutException("veil did neither attach nor end: " + run.Errors);
        if (!run.IsAttached)
            run.WaitForExit();
        return run;
    }

    /// <summary>Did it say that it traces?</summary>
    public bool IsAttached => _attached.Task.IsCompleted;

    private static VeilRun Attach(string[] arguments, bool readOutput, string? wrapper = null)
    {
        var run = new VeilRun(arguments, wrapper, readOutput);
        if (Task.WhenAny(run._attached.Task, run._errorsRead).Wait(s_patience) && run._attached.Task.IsCompleted)
            return run;
        string errors = run.Errors;
        run.Dispose();
        throw new InvalidOperationException("veil did not attach: " + errors);
    }

    /// <summary>Runs to the end of its own.</summary>
    public static VeilRun ToEnd(params string[] arguments) => ToEndWith(null, arguments);

    /// <summary>The same through another program (<c>setpriv</c>, <c>bash</c>).</summary>
    public static VeilRun ToEndWith(string? wrapper, params string[] arguments)
    {
        var run = new VeilRun(arguments, wrapper, readOutput: true);
        run.WaitForExit();
        return run;
    }

    /// <summary>Starts it, and waits for nothing.</summary>
    public static VeilRun Begin(params string[] arguments) => new(arguments, wrapper: null, readOutput: true);

    /// <summary>Asks for the end by SIGTERM and waits for it; the exit code.</summary>
    public int Stop()
    {
        Signal("TERM");
        return WaitForExit();
    }

    public void Signal(string name) => Process.Start("kill", ["-" + name, Pid.ToString()]).WaitForExit();

    public int WaitForExit()
    {
        if (!_process.WaitForExit(s_patience))
        {
            _process.Kill();
            throw new TimeoutException("veil did not end: " + Errors);
        }

        Task.WaitAll(_output, _errorsRead);
        return _process.ExitCode;
    }

    public int ExitCode => _process.ExitCode;

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private void ReadErrors()
    {
        while (_process.StandardError.ReadLine() is { } line)
        {
            lock (_errors)
                _errors.AppendLine(line);
            if (line.StartsWith("veil: tracing ", StringComparison.Ordinal))
                _attached.TrySetResult();
        }
    }
}
