// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf;

namespace Veil.Core.Interop;

/// <summary>Names in folders. A string stands for bytes, one for each character (Latin-1): names need not be UTF-8.</summary>
internal static unsafe partial class LibC
{
    private const int OPathCloexec = 0x200000 | 0x80000;

    // O_NOFOLLOW; arm64 numbers it differently.
    private static readonly int s_noFollow = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    /// <summary>Of open(2): not if the last name of a path is a symbolic link.</summary>
    public static int NoFollow => s_noFollow;

    private static readonly int s_directory = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : 0x10000;
    private const int LinkBytesMax = 4096;

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    private static partial int OpenAt(int folder, byte* name, int flags);

    [LibraryImport("libc", EntryPoint = "readlinkat", SetLastError = true)]
    private static partial nint ReadLinkAt(int folder, byte* name, byte* target, nint size);

    /// <summary>A descriptor that stands for a place alone (O_PATH), or -1.</summary>
    public static int OpenPath(int folder, string name, bool follow)
    {
        fixed (byte* bytes = Encoding.Latin1.GetBytes(name + "\0"))
            return OpenAt(folder, bytes, OPathCloexec | (follow ? 0 : s_noFollow));
    }

    /// <summary>
    /// Opens what is below a folder for reading, by no symbolic link at all (<c>RESOLVE_NO_SYMLINKS</c> of openat2(2), which is in Linux
    /// from 5.6 on and may be filtered out), and waits for nobody; or -1.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <param name="path">Relative; <c>..</c> stays below the folder.</param>
    /// <param name="isFolder">Is only a folder meant?</param>
    /// <param name="sameMount">Nothing that is mounted below the folder.</param>
    public static int OpenBelow(int folder, string path, bool isFolder, bool sameMount)
    {
        const int openAt2 = 437, notAsked = 0x800 | 0x100; // O_NONBLOCK, O_NOCTTY
        const ulong noCrossing = 1, noLinks = 4, below = 8;
        int flags = ORdonlyCloexec | notAsked | (isFolder ? s_directory : 0);
        ulong* how = stackalloc ulong[] { (ulong)flags, 0, noLinks | below | (sameMount ? noCrossing : 0) };
        int fd;
        fixed (byte* bytes = Encoding.UTF8.GetBytes(path + "\0"))
            fd = (int)Syscall(openAt2, folder, (nint)bytes, (nint)how, 3 * sizeof(ulong), 0);
        return fd >= 0 || Marshal.GetLastPInvokeError() is not (Errno.ENOSYS or Errno.EPERM) ? fd : WalkBelow(folder, path, flags, sameMount);
    }

    /// <summary>What a link leads to; null where it is none.</summary>
    public static string? LinkOf(string path) => LinkAt(AtFdCwd, path);

    /// <summary>The same of an open link.</summary>
    public static string? LinkOf(int fd) => LinkAt(fd, "");

    /// <summary>What a place is.</summary>
    public static bool TryGetPathFacts(int fd, out PathFacts facts)
    {
        const int attributesOffset = 8, uidOffset = 20, gidOffset = 24, modeOffset = 28;
        var status = stackalloc byte[StatxBytes];
        var nothing = stackalloc byte[1];
        bool there = Statx(fd, nothing, AtEmptyPath, StatxBasic, status) == 0;
        facts = there
            ? new(*(ushort*)(status + modeOffset), *(uint*)(status + uidOffset), *(uint*)(status + gidOffset),
            *(ulong*)(status + attributesOffset)) : default;
        return there;
    }

    /// <summary>The lines of a small file; none where it cannot be read.</summary>
    public static string[] LinesOf(string path)
    {
        const int most = 4096;
        int fd = OpenToRead(Encoding.Latin1.GetBytes(path + "\0"));
        if (fd < 0)
            return [];
        Span<byte> text = stackalloc byte[most];
        int length = Read(fd, text);
        _ = Close(fd);
        return length <= 0 ? [] : Encoding.Latin1.GetString(text[..length]).Split('\n');
    }

    /// <summary>The same without openat2: each name by itself.</summary>
    internal static int WalkBelow(int folder, string path, int flags, bool sameMount)
    {
        string[] names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (names.Length == 0 || names.Contains("..") || !TryGetFacts(folder, out var first))
            return -1;
        int current = -1;
        foreach (var (depth, name) in names.Index())
        {
            int next;
            fixed (byte* bytes = Encoding.UTF8.GetBytes(name + "\0"))
            {
                next =
                    OpenAt(
                    depth == 0 ? folder : current, bytes, s_noFollow | (depth == names.Length - 1 ? flags : OPathCloexec | s_directory));
            }

            _ = Close(current);
            current = next;
            if (next < 0 || (sameMount && (!TryGetFacts(next, out var facts) || (facts.Major, facts.Minor) != (first.Major, first.Minor))))
            {
                _ = Close(next);
                return -1;
            }
        }

        return current;
    }

    private static string? LinkAt(int folder, string name)
    {
        var target = stackalloc byte[LinkBytesMax];
        fixed (byte* bytes = Encoding.Latin1.GetBytes(name + "\0"))
        {
            nint length = ReadLinkAt(folder, bytes, target, LinkBytesMax);
            return length < 0 ? null : Encoding.Latin1.GetString(target, (int)length);
        }
    }
}
