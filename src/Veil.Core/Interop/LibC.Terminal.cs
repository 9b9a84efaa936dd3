// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Core.Interop;

/// <summary>Terminals (termios(3), ioctl_tty(2)).</summary>
internal static unsafe partial class LibC
{
    [LibraryImport("libc", EntryPoint = "tcgetpgrp")]
    internal static partial int ForegroundOf(int terminal);

    [LibraryImport("libc", EntryPoint = "getpgrp")]
    internal static partial int ProcessGroup();

    [LibraryImport("libc", EntryPoint = "tcgetattr")]
    internal static partial int GetTerminal(int fd, byte* attributes);

    [LibraryImport("libc", EntryPoint = "tcsetattr")]
    internal static partial int SetTerminal(int fd, int when, byte* attributes);

    /// <summary>Columns and rows of a terminal; zeros where it does not know them.</summary>
    public static (int Columns, int Rows) WindowSize(int fd)
    {
        const ulong tiocgwinsz = 0x5413;
        ushort* size = stackalloc ushort[4]; // struct winsize: rows, columns, pixels
        return IoCtl(fd, tiocgwinsz, size) == 0 ? (size[1], size[0]) : default;
    }

    /// <summary>Is it a terminal?</summary>
    public static bool IsTerminal(int fd) => IsATty(fd) == 1;

    [LibraryImport("libc", EntryPoint = "isatty")]
    private static partial int IsATty(int fd);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int IoCtl(int fd, ulong request, void* argument);
}
