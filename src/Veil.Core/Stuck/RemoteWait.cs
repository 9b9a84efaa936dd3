// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Stuck;

/// <summary>
/// Waits for a file system whose answers come from elsewhere: a daemon (FUSE, autofs) or another machine. Some of them can be interrupted
/// by a signal, so their state is S, and still it is the file system that hangs.
/// </summary>
internal static class RemoteWait
{
    private static readonly string[] s_beginnings =
    [
        "fuse_", "nfs_", "nfs3_", "nfs4_", "nlmclnt_", "rpc_wait_", "rpc_execute", "cifs_", "smb2_", "SMB2_", "ceph_", "p9_client_",
        "v9fs_", "autofs_", "afs_", "orangefs_", "coda_",
    ];

    /// <summary>Does a function belong to such a wait? The daemons' own waits for work do not.</summary>
    public static bool IsPart(string function) =>
        function == "request_wait_answer" // fs/fuse/dev.c
        || (!function.StartsWith("fuse_dev_", StringComparison.Ordinal) && !function.StartsWith("nfs_callback", StringComparison.Ordinal)
        && s_beginnings.Any(beginning => function.StartsWith(beginning, StringComparison.Ordinal)));
}
