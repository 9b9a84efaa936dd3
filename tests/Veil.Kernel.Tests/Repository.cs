// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Kernel.Tests;

/// <summary>Where the shipped binary and the workloads are: found from the tests' own place, not from the current folder.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string Veil { get; } = Existing("bin/veil", "make build");

    // Tests run as a user without rights as well, to whom root's home is closed: then a copy that everybody may read.
    private static readonly Lazy<string> s_workloads =
        new(() => IsForAll(Root) ? Path.Combine(Root, Workloads) : Copied(Path.Combine(Root, Workloads)));

    private const string Workloads = "artifacts/workloads";

    public static string Workload(string name)
    {
        Existing(Path.Combine(Workloads, name), "make test");
        return Path.Combine(WorkloadsFolder, name);
    }

    public static string WorkloadsFolder => s_workloads.Value;

    private static bool IsForAll(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
        {
            if (!at.UnixFileMode.HasFlag(UnixFileMode.OtherExecute))
                return false;
        }

        return true;
    }

    private static string Copied(string folder)
    {
        var temporary = Directory.CreateTempSubdirectory("veil-tests-");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => temporary.Delete(recursive: true);
        if (OperatingSystem.IsLinux())
            temporary.UnixFileMode |= UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        var copy = temporary.CreateSubdirectory(Path.GetFileName(folder));
        foreach (string file in Directory.GetFiles(folder))
            File.Copy(file, Path.Combine(copy.FullName, Path.GetFileName(file)));
        return copy.FullName;
    }

    private static string Existing(string path, string target)
    {
        string full = Path.Combine(Root, path);
        return File.Exists(full) ? full : throw new FileNotFoundException($"{path} is missing: run {target}");
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Veil.slnx")))
                return folder.FullName;
        }

        throw new InvalidOperationException("the tests do not run inside a checkout");
    }
}
