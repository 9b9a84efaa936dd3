// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Symbols;

/// <summary>A file whose code a process has mapped: a line of <c>/proc/PID/maps</c>.</summary>
/// <param name="ProcessId">The process.</param>
/// <param name="Range">The addresses, as <c>/proc/PID/map_files</c> names them.</param>
/// <param name="Start">The first address.</param>
/// <param name="End">The address behind the last.</param>
/// <param name="Offset">Where in the file it begins.</param>
/// <param name="Name">Its path, as the kernel tells it; without the mark of one that was deleted.</param>
/// <param name="IsDeleted">That path leads to it no more: it was deleted, or another file took its place.</param>
/// <param name="Identity">Device and inode as the kernel's memory management knows them. Some file systems (overlayfs, btrfs) tell stat(2)
/// another device.</param>
internal sealed record MappedFile(
    int ProcessId, string Range, ulong Start, ulong End, ulong Offset, string Name, bool IsDeleted, FileIdentity Identity)
{
    private const string Deleted = " (deleted)";

    /// <summary>The link that leads to the file even where its path does not; following it needs CAP_SYS_ADMIN or
    /// CAP_CHECKPOINT_RESTORE.</summary>
    public string Link => $"/proc/{ProcessId}/map_files/{Range}";

    /// <summary>What a process has mapped to execute, each file once.</summary>
    /// <exception cref="IOException">There is no such process.</exception>
    /// <exception cref="UnauthorizedAccessException">We may not know.</exception>
    public static List<MappedFile> Of(int processId)
    {
        var files = new List<MappedFile>();
        var seen = new HashSet<(FileIdentity, string)>();
        foreach (string line in File.ReadLines($"/proc/{processId}/maps"))
        {
            if (Parse(processId, line) is { } file && seen.Add((file.Identity, file.Name)))
                files.Add(file);
        }

        return files;
    }

    /// <summary>Is it that file?</summary>
    public bool Is(FileIdentity file) => FileIdentity.Of(Link) is { } followed ? followed == file : Identity == file;

    /// <summary>
    /// Is this the library of that path, whichever file it was when it was loaded? An upgrade puts another in its place, often under
    /// another name that begins as the old one: <c>libx.so.1.2</c>.
    /// </summary>
    public bool IsNamed(IReadOnlyCollection<string> paths) =>
        paths.Contains(Name)
            || (IsDeleted
            && paths.Any(
            path => Path.GetDirectoryName(path) == Path.GetDirectoryName(Name) && Stem(path) is { } stem && stem == Stem(Name)));

    /// <summary>Is it the program or library that is called so, as <c>libc</c> for <c>libc.so.6</c>?</summary>
    public bool HasShortName(string name)
    {
        string file = Path.GetFileName(Name);
        return file == name || Stem(file) == name;
    }

    private static MappedFile? Parse(int processId, string line)
    {
        if (MapsLine.Parse(line) is not { Identity.Inode: > 0, Path.Length: > 0 } found)
            return null;
        // Of a name that ends so by itself nobody can tell.
        bool isDeleted = found.Path.EndsWith(Deleted, StringComparison.Ordinal);
        return new MappedFile(
            processId, $"{found.Start:x}-{found.End:x}", found.Start, found.End, found.Offset,
            isDeleted ? found.Path[..^Deleted.Length] : found.Path, isDeleted, found.Identity);
    }

    // libx.so.1.2 and libx-1.2.so are both libx.
    private static string? Stem(string path)
    {
        string file = Path.GetFileName(path);
        int end = file.IndexOf(".so", StringComparison.Ordinal);
        if (end <= 0)
            return null;
        string stem = file[..end];
        int version = stem.LastIndexOf('-');
        return version > 0 && stem.AsSpan(version + 1).IndexOfAnyExceptInRange('.', '9') < 0 ? stem[..version] : stem;
    }
}
