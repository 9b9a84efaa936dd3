// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Modules.Uprobe;

/// <summary>From a name to a file, where a user gives a program or library by its bare name.</summary>
internal static class LibraryPath
{
    /// <summary>Is it a name alone?</summary>
    public static bool IsBare(string path) => !path.Contains('/', StringComparison.Ordinal) && !File.Exists(path);

    /// <summary>
    /// The absolute path of a file. A name without a slash that is no file here is looked for among the programs in PATH,
    /// then among the libraries of the system: <c>bash</c>, <c>libc.so.6</c> and <c>libc</c> are found.
    /// </summary>
    public static string Resolve(string path)
    {
        string full = Path.GetFullPath(path);
        if (!IsBare(path))
            return full;
        string[] programs = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        return programs.Where(Path.IsPathRooted).Select(folder => Path.Combine(folder, path)).FirstOrDefault(File.Exists)
            ?? LibraryFolders().Select(folder => InFolder(folder, path)).FirstOrDefault(static found => found is not null)
            ?? full;
    }

    private static string? InFolder(string folder, string name)
    {
        if (!Directory.Exists(folder))
            return null;
        string exact = Path.Combine(folder, name);
        if (name.Contains(".so", StringComparison.Ordinal))
            return File.Exists(exact) ? exact : null;
        // Not NAME.so: that is for the linker, and may be a script.
        return Directory.EnumerateFiles(folder).Where(file => file.StartsWith(exact + ".so.", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).FirstOrDefault();
    }

    private static string[] LibraryFolders()
    {
        string machine = RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
        return [$"/lib/{machine}", $"/usr/lib/{machine}", "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"];
    }
}
