// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Core.Interop;

namespace Veil.Core.Output;

/// <summary>Does a standard stream lead to systemd's journal? It says so by device and inode (systemd.exec(5), <c>JOURNAL_STREAM</c>),
/// because the variable is inherited by processes whose streams do not.</summary>
public static class JournalStream
{
    private static readonly Lazy<bool> s_error = new(static () => Leads(StandardStreams.Error));

    /// <summary>Lines on standard error may begin with a level (sd-daemon(3)).</summary>
    public static bool IsError => s_error.Value;

    /// <summary>Does this stream lead there?</summary>
    public static bool Leads(int stream) =>
        Environment.GetEnvironmentVariable("JOURNAL_STREAM")?.Split(':') is [var device, var inode]
        && ulong.TryParse(device, NumberStyles.None, CultureInfo.InvariantCulture, out ulong deviceNumber)
        && ulong.TryParse(inode, NumberStyles.None, CultureInfo.InvariantCulture, out ulong inodeNumber)
        && LibC.TryGetFacts(stream, out var facts)
        && facts.Inode == inodeNumber && Device(facts.Major, facts.Minor) == deviceNumber;

    // gnu_dev_makedev(3)
    private static ulong Device(ulong major, ulong minor) =>
        (minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xfful) << 12) | ((major & ~0xffful) << 32);
}
