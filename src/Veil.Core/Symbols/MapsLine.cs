// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;

namespace Veil.Core.Symbols;

/// <summary>A line of <c>/proc/PID/maps</c> about code.</summary>
/// <param name="Start">The first address.</param>
/// <param name="End">The address behind the last.</param>
/// <param name="Offset">Where in the file it begins.</param>
/// <param name="Identity">Device and inode; zeros for none.</param>
/// <param name="Path">The path, with the mark of a file that was deleted; or what is there instead of a file.</param>
internal readonly record struct MapsLine(ulong Start, ulong End, ulong Offset, FileIdentity Identity, string Path)
{
    /// <summary>Reads one; nothing where it is no code.</summary>
    public static MapsLine? Parse(ReadOnlySpan<char> line)
    {
        // 7f3a00-7f3b00 r-xp 00026000 fe:01 1234    /usr/lib/libc.so.6 (deleted)
        Span<Range> fields = stackalloc Range[6];
        int count = line.Split(fields, ' ', StringSplitOptions.RemoveEmptyEntries);
        if (count < 5 || !line[fields[1]].Contains('x'))
            return null;
        var addresses = line[fields[0]];
        var device = line[fields[3]];
        int dash = addresses.IndexOf('-'), colon = device.IndexOf(':');
        if (dash < 0 || colon < 0
            || !Hexadecimal(addresses[..dash], out ulong start) || !Hexadecimal(addresses[(dash + 1)..], out ulong end) || end <= start
            || !Hexadecimal(line[fields[2]], out ulong offset)
            || !Hexadecimal(device[..colon], out ulong major) || !Hexadecimal(device[(colon + 1)..], out ulong minor)
            || !ulong.TryParse(line[fields[4]], NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode))
        {
            return null;
        }

        // The kernel escapes line breaks alone (show_map_vma() in fs/proc/task_mmu.c).
        string path = count == 6 ? line[fields[5]].ToString().Replace("\\012", "\n", StringComparison.Ordinal) : "";
        return new(start, end, offset, inode == 0 ? default : new FileIdentity((uint)major, (uint)minor, inode), path);
    }

    private static bool Hexadecimal(ReadOnlySpan<char> text, out ulong value) =>
        ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
}
