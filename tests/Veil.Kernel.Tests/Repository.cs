namespace Veil.Kernel.Tests;

/// <summary>Where the shipped binary and the workloads are: found from the tests' own place, not from the current folder.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string Veil { get; } = Existing("bin/veil", "make build");

    public static string Workload(string name) => Existing(Path.Combine("artifacts/workloads", name), "make test");

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
