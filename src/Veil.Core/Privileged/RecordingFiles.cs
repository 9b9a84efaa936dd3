// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf;
using Veil.Core.Interop;

namespace Veil.Core.Privileged;

/// <summary>The files of a recording in their folder: the first has the name that was asked for, those after it their number behind
/// that. Nothing is opened that was there, and nothing removed that is another's.</summary>
/// <param name="folder">The folder. Not owned.</param>
/// <param name="name">The name.</param>
internal sealed class RecordingFiles(int folder, string name)
{
    private readonly Dictionary<int, LibC.FileFacts> _made = [];

    /// <summary>The name of one of them.</summary>
    public string NameOf(int part) => part == 0 ? name : $"{name}.{part.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Makes one; 0, or an errno.</summary>
    public int Make(int part, out int fd)
    {
        fd = part > 0 ? LibC.MakeFile(folder, NameOf(part)) : -1;
        if (fd < 0)
            return part > 0 ? Marshal.GetLastPInvokeError() : Errno.EINVAL;
        Remember(part, fd);
        return 0;
    }

    /// <summary>What stands behind the name of one that was made at a time, in seconds since 1970.</summary>
    public static string TimeOf(uint seconds) =>
        DateTime.UnixEpoch.AddSeconds(seconds).ToString("'-'yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Makes one with a time in its name; 0, or an errno.</summary>
    public int MakeAt(uint seconds, out int fd)
    {
        fd = LibC.MakeFile(folder, name + TimeOf(seconds));
        return fd >= 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    /// <summary>This is the file with that number.</summary>
    public void Remember(int part, int fd)
    {
        if (LibC.TryGetFacts(fd, out var facts))
            _made[part] = facts;
    }

    /// <summary>Removes one that was made; 0, or an errno.</summary>
    public int Remove(int part)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(NameOf(part) + "\0");
        // The first one was made before there was anybody to remember it.
        bool isOurs = LibC.TryGetFacts(folder, bytes, out var there) && (part == 0 || (_made.Remove(part, out var made) && made.IsSame(there)));
        if (!isOurs)
            return Errno.ENOENT;
        return LibC.UnlinkAt(folder, bytes) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }
}
