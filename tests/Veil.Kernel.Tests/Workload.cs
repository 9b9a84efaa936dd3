// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;

namespace Veil.Kernel.Tests;

/// <summary>A small program that knows its own truth. With <see cref="Waiting"/> it says its PID and waits, so that a tracer can attach
/// first.</summary>
internal sealed class Workload : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(120);
    private readonly Process _process;
    private readonly Dictionary<string, string> _said = new(StringComparer.Ordinal);

    private Workload(string name, bool wait, string[] arguments)
    {
        var start = new ProcessStartInfo(Repository.Workload(name)) { RedirectStandardOutput = true, RedirectStandardInput = true };
        if (wait)
            start.ArgumentList.Add("--wait");
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
    }

    /// <summary>Starts it; it does nothing before <see cref="Go"/>.</summary>
    public static Workload Waiting(string name, params string[] arguments)
    {
        var workload = new Workload(name, wait: true, arguments);
        while (!workload._said.ContainsKey("pid"))
            workload.Take(
                workload._process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"{name} ended before it said its pid"));
        return workload;
    }

    /// <summary>Its thread group id.</summary>
    public string Pid => _process.Id.ToString();

    /// <summary>What it said of itself.</summary>
    public string this[string key] =>
        _said.TryGetValue(key, out string? value) ? value : throw new KeyNotFoundException($"the workload did not say '{key}'");

    /// <summary>The same as a number.</summary>
    public long Number(string key) => long.Parse(this[key]);

    public bool Said(string key) => _said.ContainsKey(key);

    /// <summary>Reads on until it has said something that it says before it begins.</summary>
    public string ReadAhead(string key)
    {
        while (!_said.ContainsKey(key))
            Take(_process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"the workload ended before it said '{key}'"));
        return _said[key];
    }

    /// <summary>Lets it begin, without waiting for its end.</summary>
    public Workload Begin()
    {
        _process.StandardInput.WriteLine("go");
        _process.StandardInput.Flush();
        return this;
    }

    /// <summary>Lets it begin and waits for its end.</summary>
    public Workload Go()
    {
        Begin();
        return Finish();
    }

    public Workload Finish()
    {
        while (_process.StandardOutput.ReadLine() is { } line)
            Take(line);
        if (!_process.WaitForExit(s_patience))
            throw new TimeoutException("the workload did not end");
        _process.ExitCode.ShouldBe(0);
        return this;
    }

    /// <summary>Ends it in the middle of its work.</summary>
    public void End()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }
    }

    public void Dispose()
    {
        End();
        _process.Dispose();
    }

    private void Take(string line)
    {
        int equals = line.IndexOf('=', StringComparison.Ordinal);
        if (equals > 0)
            _said[line[..equals]] = line[(equals + 1)..];
    }
}
