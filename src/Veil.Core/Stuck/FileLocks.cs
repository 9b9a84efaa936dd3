// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using Veil.Bpf.Interop;
using Veil.Core.Interop;
using Veil.Core.Kernel;

namespace Veil.Core.Stuck;

/// <summary>Who holds the file lock that a task waits for, by <c>/proc/locks</c>.</summary>
internal static class FileLocks
{
    /// <summary>The processes that hold it; empty where the task waits for none, or the kernel does not tell.</summary>
    public static IReadOnlyList<uint> Holders(scoped in StuckTask task)
    {
        const int setAndWait = 7, setAndWait64 = 14, ofdSetAndWait = 38; // F_SETLKW, F_SETLKW64, F_OFD_SETLKW
        if (!task.IsInCall)
            return [];
        var name = SyscallTable.For(task.Arch).NameUtf8(task.Number);
        bool isLock = name.SequenceEqual("flock"u8)
            || (name.StartsWith("fcntl"u8) && (int)task.Args[1] is setAndWait or setAndWait64 or ofdSetAndWait);
        if (!isLock)
            return [];
        string path = $"/proc/{task.Tid.ToString(CultureInfo.InvariantCulture)}/fd/{(int)task.Args[0]}\0";
        ulong inode = LibC.Identity(Encoding.UTF8.GetBytes(path)).Inode;
        return inode == 0 ? [] : Parse(KernelFile.Lines("/proc/locks"), task.Pid, inode);
    }

    /// <summary>Finds the holders of the lock that a process waits for in such lines.</summary>
    internal static IReadOnlyList<uint> Parse(string[] lines, uint pid, ulong inode)
    {
        // 1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF, and who waits for it: 1: -> FLOCK  ADVISORY  WRITE 1235 08:01:5678 0 EOF
        var held = new Dictionary<string, uint>(StringComparer.Ordinal);
        var holders = new List<uint>();
        foreach (string line in lines)
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            bool isWaiter = words.Length > 1 && words[1] == "->";
            int at = isWaiter ? 2 : 1;
            if (words.Length < at + 5 || !int.TryParse(words[at + 3], CultureInfo.InvariantCulture, out int owner))
                continue;
            if (!isWaiter)
                held[words[0]] = owner > 0 ? (uint)owner : 0;
            // Locks of an open file have no owner: -1.
            else if ((owner == pid || owner == -1) && words[at + 4].EndsWith(":" + inode.ToString(CultureInfo.InvariantCulture),
                StringComparison.Ordinal) && held.GetValueOrDefault(words[0]) is not 0 and var holder && !holders.Contains(holder))
                holders.Add(holder);
        }

        return holders;
    }
}
