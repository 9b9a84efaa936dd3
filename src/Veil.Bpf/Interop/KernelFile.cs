// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf.Interop;

/// <summary>Files of /proc, /sys and their like: each may be gone, or kept from us, at any time, and then there is nothing in it.</summary>
internal static class KernelFile
{
    /// <summary>The text, without the line break at its end.</summary>
    internal static string? Text(string path) => Try(() => File.ReadAllText(path).TrimEnd('\n'));

    /// <summary>The bytes.</summary>
    internal static byte[] Bytes(string path) => Try(() => File.ReadAllBytes(path)) ?? [];

    /// <summary>The lines.</summary>
    internal static string[] Lines(string path) => Try(() => File.ReadAllLines(path)) ?? [];

    /// <summary>Where a link leads.</summary>
    internal static string? Target(string path) => Try(() => new FileInfo(path).LinkTarget);

    /// <summary>The names of the folders in a folder.</summary>
    internal static string[] Folders(string path) =>
        Try(() => Directory.GetDirectories(path).Select(static folder => Path.GetFileName(folder)).ToArray()) ?? [];

    private static T? Try<T>(Func<T?> read)
        where T : class
    {
        try
        {
            return read();
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
