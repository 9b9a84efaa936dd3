// SPDX-License-Identifier: GPL-3.0-only
using System.Text.Json;
using Veil.Core.Interop;

namespace Veil.Core.Containers;

/// <summary>
/// A folder with files that runtimes keep. They may be half-written, huge, or put there by somebody hostile: no symbolic link is
/// followed, nothing is waited for, and only regular files up to a size are read.
/// </summary>
/// <param name="root">The root of files.</param>
/// <param name="home">The home folder that paths are below; null for the root. What a user mounts into it may never answer, and is left
/// alone.</param>
internal sealed class StateFolder(string root, string? home = null)
{
    /// <summary>The longest file that is read.</summary>
    public const int FileBytesMax = 1024 * 1024;

    private const int NamesMax = 65_536;

    /// <summary>A JSON file; null where there is none that can be read.</summary>
    public JsonDocument? Json(string path)
    {
        try
        {
            return Bytes(path) is { } bytes ? JsonDocument.Parse(bytes) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The content of a file.</summary>
    public byte[]? Bytes(string path)
    {
        int fd = Open(path, isFolder: false);
        if (fd < 0)
            return null;
        try
        {
            if (!LibC.TryGetFacts(fd, out var facts) || facts.Type != LibC.FileType.Regular || facts.SizeBytes > FileBytesMax)
                return null;
            // It may grow while it is read.
            byte[] content = new byte[facts.SizeBytes + 1];
            int length = 0;
            for (int got = 1; got > 0 && length < content.Length; length += got)
                got = Math.Max(0, LibC.Read(fd, content.AsSpan(length)));
            return length < content.Length ? content[..length] : null;
        }
        finally
        {
            _ = LibC.Close(fd);
        }
    }

    /// <summary>The names in a folder; none where it cannot be read.</summary>
    public IReadOnlyList<string> Names(string path)
    {
        int fd = Open(path, isFolder: true);
        if (fd < 0)
            return [];
        try
        {
            return [.. new DirectoryInfo($"/proc/self/fd/{fd}").EnumerateFileSystemInfos().Take(NamesMax).Select(static entry => entry.Name)];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
        finally
        {
            _ = LibC.Close(fd);
        }
    }

    private int Open(string path, bool isFolder)
    {
        int folder = LibC.OpenPath(LibC.AtFdCwd, root, follow: true);
        if (home is not null)
            Step(ref folder, LibC.OpenBelow(folder, home.Trim('/'), isFolder: true, sameMount: false));
        Step(ref folder, LibC.OpenBelow(folder, path, isFolder, sameMount: home is not null));
        return folder;
    }

    private static void Step(ref int current, int next)
    {
        _ = LibC.Close(current);
        current = next;
    }
}
