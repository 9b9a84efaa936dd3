// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Interop;
using Veil.Core.Privileged;

namespace Veil.Core.Enrichers;

/// <summary>
/// The current names of processes, out of <c>/proc/PID/comm</c>. A name is asked for again after a second (processes rename
/// themselves), and the table has a fixed size. What was known of a process that is gone by now is still said.
/// </summary>
/// <param name="root">Opens what <c>/proc</c> hides from us; or nothing.</param>
public sealed class ProcNames(RootClient? root = null)
{
    private const int Slots = 4096;
    private const int NameBytes = 16;
    private const ulong FreshNs = 1_000_000_000;
    private readonly Entry[] _entries = new Entry[Slots];
    private readonly byte[] _names = new byte[Slots * NameBytes];

    /// <summary>The name's raw bytes; empty where the process was gone before it could be asked.</summary>
    /// <param name="pid">The thread group id.</param>
    /// <param name="nowNs">The event's time since boot.</param>
    public ReadOnlySpan<byte> Find(uint pid, ulong nowNs)
    {
        int slot = (int)(pid % Slots);
        ref var entry = ref _entries[slot];
        var name = _names.AsSpan(slot * NameBytes, NameBytes);
        bool ours = entry.Known && entry.Pid == pid;
        if (ours && nowNs - entry.AskedNs < FreshNs)
            return name[..entry.Length];

        int length = Read(pid, name);
        if (length >= 0)
            entry.Length = length;
        else if (!ours)
            entry.Length = 0;
        entry.Known = true;
        entry.Pid = pid;
        entry.AskedNs = nowNs;
        return name[..entry.Length];
    }

    private int Read(uint pid, Span<byte> name)
    {
        var path = new Text.LineWriter(stackalloc byte[32]);
        path.Append("/proc/"u8);
        path.Append((ulong)pid);
        path.Append("/comm\0"u8);
        int fd = LibC.OpenToRead(path.Written);
        if (fd < 0 && root is not null)
            fd = root.OpenProcessName(pid);
        if (fd < 0)
            return -1;
        int length = LibC.Read(fd, name);
        _ = LibC.Close(fd);
        return length > 0 && name[length - 1] == (byte)'\n' ? length - 1 : length;
    }

    private struct Entry
    {
        public uint Pid;
        public bool Known;
        public int Length;
        public ulong AskedNs;
    }
}
