// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bench.Processes;

/// <summary>Where the programs are that take part, and where big outputs go.</summary>
internal sealed class Programs
{
    internal Programs(string root)
    {
        Burst = Path.Combine(root, "artifacts/workloads/burst");
        Loads = Path.Combine(root, "artifacts/workloads/loads");
        Floor = Path.Combine(root, "artifacts/bench/floor");
        Empty = Path.Combine(root, "artifacts/bench/empty");
        Veil = Path.Combine(root, "bin/veil");
        // A disk would be measured instead of the tracer.
        string parent = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        OutputFolder = Path.Combine(parent, $"veil-bench-{Environment.ProcessId}");
    }

    internal string Burst { get; }

    internal string Loads { get; }

    internal string Floor { get; }

    internal string Empty { get; }

    internal string Veil { get; }

    internal string OutputFolder { get; }

    internal string OutputFile => Path.Combine(OutputFolder, "output");

    internal string ErrorFile => Path.Combine(OutputFolder, "errors");

    /// <summary>The folder that holds the solution, looked for upwards from here.</summary>
    internal static string FindRoot()
    {
        for (string? folder = Directory.GetCurrentDirectory(); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Veil.slnx")))
                return folder;
        }
        throw new BenchException("looking for Veil.slnx upwards from the current folder: not found; run `make bench` in the repository");
    }

    /// <summary>The path of a peer, or null where it is not installed.</summary>
    internal static string? FindInPath(string name)
    {
        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            string path = Path.Combine(folder, name);
            if (File.Exists(path))
                return path;
        }
        return null;
    }
}
