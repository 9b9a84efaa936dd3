// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Core.Interop;

/// <summary>The root folder of this process, as the kernel's programs see it: up to the root of the mount namespace.</summary>
internal static class OwnRoot
{
    /// <summary>Where it is in the mount namespace: empty where it is the root there, <c>/srv/debian</c> in a chroot of that folder. Empty,
    /// too, where nobody may know: that takes CAP_SYS_ADMIN, and <c>/proc</c>. Read once; thread-safe.</summary>
    public static string Path => s_path.Value;

    private static readonly Lazy<string> s_path = new(Read);

    private static string Read()
    {
        string? path = null;
        // setns(2) to one's own mount namespace leads to its root, and a thread with a root of its own may go there alone.
        var thread = new Thread(() => path = LibC.OwnRootFromOutside());
        thread.Start();
        thread.Join();
        return path is null or "/" || !path.StartsWith('/') ? "" : Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(path));
    }
}
