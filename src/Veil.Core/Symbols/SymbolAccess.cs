// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Veil.Core.Interop;

namespace Veil.Core.Symbols;

/// <summary>
/// Opens what names are read from: what processes have mapped, their files, and what their compilers at run time wrote. With our own rights
/// where those do, else through the helper process, which has the same questions asked by these same functions.
/// </summary>
internal sealed unsafe class SymbolAccess(ISymbolOpener? helper)
{
    private const int ReadOnlyNonBlockingCloexec = 0x80800;
    private const int PathOnlyCloexec = 0x280000;
    private const ulong ResolveInRoot = 0x10; // of openat2(2), Linux 5.6

    /// <summary><c>/proc/PID/maps</c>.</summary>
    public FileStream? OpenMaps(int pid) => Stream(OpenMapsHere(pid), () => helper?.OpenMaps(pid) ?? -1);

    /// <summary>The file of a mapping that is in place, whatever its path leads to now.</summary>
    public FileStream? OpenMapped(int pid, ulong start, ulong end)
    {
        string range = string.Create(CultureInfo.InvariantCulture, $"{start:x}-{end:x}");
        return Stream(OpenMappedHere(pid, range), () => helper?.OpenMapped(pid, range) ?? -1);
    }

    /// <summary>A program, a library, or a file of their symbols, by its path in a process's own root folder.</summary>
    /// <param name="pid">The process; 0 for our own root folder.</param>
    /// <param name="path">An absolute path there.</param>
    public FileStream? OpenProgram(int pid, string path) =>
        Stream(OpenProgramHere(pid, path), () => helper?.OpenProgram(pid, path) ?? -1);

    /// <summary>The map of what a process compiled at run time: <c>/tmp/perf-PID.map</c>, by its own number and in its own root
    /// folder.</summary>
    public FileStream? OpenJitMap(int pid) => Stream(OpenJitMapHere(pid), () => helper?.OpenJitMap(pid) ?? -1);

    /// <summary>The same with the rights of this process alone: a descriptor, or -1.</summary>
    internal static int OpenMapsHere(int pid) => OpenText($"/proc/{pid}/maps");

    /// <inheritdoc cref="OpenMapsHere"/>
    internal static int OpenMappedHere(int pid, string range) => !range.All(static c => char.IsAsciiHexDigitLower(c) || c == '-')
        ? -1 : ProgramOnly(OpenRegular($"/proc/{pid}/map_files/{range}"));

    /// <inheritdoc cref="OpenMapsHere"/>
    internal static int OpenProgramHere(int pid, string path)
    {
        if (!path.StartsWith('/'))
            return -1;
        return ProgramOnly(pid == 0 ? OpenRegular(path) : OpenInRoot(pid, path, 0));
    }

    /// <inheritdoc cref="OpenMapsHere"/>
    internal static int OpenJitMapHere(int pid)
    {
        var (inner, user) = IdsOf(pid);
        if (inner == 0)
            return -1;
        int fd = OpenInRoot(pid, $"/tmp/perf-{inner}.map", LibC.NoFollow);
        // Whoever may write to /tmp could name our functions.
        if (fd >= 0 && LibC.TryGetFacts(fd, out var facts) && (facts.User == user || facts.User == 0))
            return fd;
        _ = LibC.Close(fd);
        return -1;
    }

    // Its number in its innermost PID namespace, and its effective user.
    private static (int Inner, uint User) IdsOf(int pid)
    {
        int inner = 0;
        uint user = uint.MaxValue;
        foreach (string line in LibC.LinesOf($"/proc/{pid}/status"))
        {
            string[] words = line.Split('\t');
            if (words[0] == "NSpid:" && int.TryParse(words[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int number))
                inner = number;
            else if (words[0] == "Uid:" && words.Length > 2
                && uint.TryParse(words[2], NumberStyles.None, CultureInfo.InvariantCulture, out uint id))
                user = id;
        }

        return (inner, user);
    }

    private static FileStream? Stream(int fd, Func<int> asRoot)
    {
        if (fd < 0)
            fd = asRoot();
        return fd < 0 ? null : new FileStream(new SafeFileHandle(fd, ownsHandle: true), FileAccess.Read, bufferSize: 0);
    }

    private static int OpenText(string path) => LibC.Open(path, ReadOnlyNonBlockingCloexec);

    private static int OpenRegular(string path) => Reopen(LibC.Open(path, PathOnlyCloexec));

    // To open a device may be to do something to it: first the place alone, which does nothing.
    private static int Reopen(int place)
    {
        int fd = place >= 0 && LibC.TypeOf(place) == LibC.FileType.Regular ? OpenText($"/proc/self/fd/{place}") : -1;
        _ = LibC.Close(place);
        return fd;
    }

    // What is no ELF file is none of ours: the helper reads files that its peer may not.
    private static int ProgramOnly(int fd)
    {
        Span<byte> start = stackalloc byte[4];
        if (fd >= 0 && LibC.ReadAt(fd, start, 0) == start.Length && start.SequenceEqual("\x7f"u8 + "ELF"u8))
            return fd;
        _ = LibC.Close(fd);
        return -1;
    }

    private static int OpenInRoot(int pid, string path, int flags)
    {
        const int openat2 = 437;
        int folder = LibC.Open($"/proc/{pid}/root", PathOnlyCloexec);
        if (folder < 0)
            return -1;
        ulong* how = stackalloc ulong[] { (ulong)(uint)(PathOnlyCloexec | flags), 0, ResolveInRoot };
        int fd;
        fixed (byte* name = Encoding.UTF8.GetBytes(path + "\0"))
            fd = (int)LibC.Syscall(openat2, folder, (nint)name, (nint)how, 3 * sizeof(ulong), 0);
        _ = LibC.Close(folder);
        return Reopen(fd);
    }
}
