// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Runtime.InteropServices;
using Veil.Bpf.Interop;
using Veil.Core.Kernel;

namespace Veil.Core.Stuck;

/// <summary>
/// Who holds the locks that threads wait for now: the rules of <c>lock.bpf.c</c>, over memory that is read from
/// outside. What does not name a live thread that can have the lock is not believed.
/// </summary>
internal static class LockHolders
{
    private const uint Waiters = 0x8000_0000, OwnerDied = 0x4000_0000, TidMask = 0x3fff_ffff;
    private const int CircleMax = 64;

    /// <summary>The lock that a task waits for; nothing where it waits for none, or its holder is not known.</summary>
    public static LockWait? Of(scoped in StuckTask task) =>
        task.IsInCall ? Of(task.Pid, task.Tid, task.Arch, task.Number, task.Args) : null;

    /// <summary>
    /// The circle that a wait is part of or leads to: each thread holds what the one before it waits for, and the last waits for the first.
    /// Empty where there is none. The circle begins with its lowest thread, whichever thread was asked for.
    /// </summary>
    public static IReadOnlyList<LockWait> Circle(scoped in StuckTask task)
    {
        var waits = new List<LockWait>();
        var arch = task.Arch;
        var next = Of(task);
        while (next is { } wait && waits.Count < CircleMax)
        {
            int first = waits.FindIndex(known => known.Tid == wait.Tid);
            if (first >= 0)
                return FromLowest(waits[first..]);
            waits.Add(wait);
            next = wait.HasEnded ? null : OfThread(wait.HolderTid, arch);
        }

        return [];
    }

    private static List<LockWait> FromLowest(List<LockWait> circle)
    {
        int lowest = circle.FindIndex(wait => wait.Tid == circle.Min(static one => one.Tid));
        return [.. circle[lowest..], .. circle[..lowest]];
    }

    /// <summary>The lock that a thread waits for now; nothing where it waits for none, or its holder is not known.</summary>
    public static LockWait? OfThread(uint tid, SyscallArch arch)
    {
        // 202 0x7ffd… 0x80 0x2 0x0 …
        string folder = Folder(tid);
        Span<ulong> args = stackalloc ulong[6];
        string[] words = (KernelFile.Lines(folder + "/syscall").FirstOrDefault() ?? "").Split(' ');
        if (words.Length < 7 || !int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            || Status(folder, "Tgid:") is not [.., var group]
            || !uint.TryParse(group, NumberStyles.None, CultureInfo.InvariantCulture, out uint pid))
            return null;
        for (int arg = 0; arg < args.Length; arg++)
        {
            if (!ulong.TryParse(words[arg + 1].AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out args[arg]))
                return null;
        }

        return Of(pid, tid, arch, number, args);
    }

    private static LockWait? Of(uint pid, uint tid, SyscallArch arch, int number, scoped ReadOnlySpan<ulong> args)
    {
        const uint command = 0x7f, isPrivateBit = 128;
        if (!SyscallTable.For(arch).NameUtf8(number).StartsWith("futex"u8))
            return null;
        bool is32Bit = arch is SyscallArch.I386 or SyscallArch.Arm or SyscallArch.X32;
        bool isWaitCall = SyscallTable.For(arch).NameUtf8(number).SequenceEqual("futex_wait"u8);
        bool isPrivate = (args[isWaitCall ? 3 : 1] & isPrivateBit) != 0;
        uint operation = isWaitCall ? 0 : (uint)args[1] & command, value = (uint)args[isWaitCall ? 1 : 2];
        ulong timeout = args[isWaitCall ? 4 : 3];
        var (owner, type) = operation switch
        {
            6 or 13 => (Word(tid, args[0]) & TidMask, "pi"),
            0 or 9 => Owner(tid, args[0], value, isPrivate, is32Bit, operation == 0 || timeout != 0),
            _ => (0u, ""),
        };
        if (owner == 0)
            return operation is 0 or 9 && Joined(pid, tid, args[0], value, isPrivate) is { } joined
                ? new LockWait(tid, args[0], LockWait.Join, joined) : null;
        if (Thread(pid, owner, isPrivate) is { } holder)
            return new LockWait(tid, args[0], type, holder);
        // What is beside the word of these fits too well for a chance.
        return isPrivate && type is "mutex" or "rwlock" ? new LockWait(tid, args[0], type, owner, HasEnded: true) : null;
    }

    // glibc waits for a thread's end on the word that the kernel clears then, which has the thread's id until then; its futex is a
    // shared one, as the kernel's wake-up of it is.
    private static uint? Joined(uint pid, uint tid, ulong address, uint value, bool isPrivate) =>
        !isPrivate && value is > 0 and <= TidMask && Word(tid, address) == value
            && Thread(pid, value, isPrivate: true) is { } thread && thread != tid ? thread : null;

    private static (uint Owner, string Type) Owner(uint tid, ulong address, uint value, bool isPrivate, bool is32Bit, bool mayBeMutex)
    {
        if ((value & Waiters) != 0)
        {
            uint named = value & TidMask;
            if ((value & OwnerDied) != 0)
                return (0, "");
            return BesideMutex(tid, address, isPrivate, is32Bit, isRobust: true) == named ? (named, "robust")
                : !is32Bit && (address & 4) != 0 && IsMuslMutex(Word(tid, address - 4), isPrivate) ? (named, "musl") : (0, "");
        }

        return value switch
        {
            2 when mayBeMutex => (BesideMutex(tid, address, isPrivate, is32Bit, isRobust: false), "mutex"),
            3 when !is32Bit => (WriterOf(tid, address - ((address & 4) != 0 ? 12u : 8u), isPrivate), "rwlock"),
            _ => (0, ""),
        };
    }

    // struct __pthread_mutex_s
    private static uint BesideMutex(uint tid, ulong address, bool isPrivate, bool is32Bit, bool isRobust)
    {
        const uint kindMax = 0x3ff, robust = 16, shared = 128, special = 16 | 32 | 64, usersMax = 1 << 22;
        Span<uint> words = stackalloc uint[5];
        if (!TryRead(tid, address, words))
            return 0;
        uint kind = is32Bit ? words[3] : words[4], users = is32Bit ? words[4] : words[3];
        return kind <= kindMax && users is > 0 and <= usersMax && (kind & shared) == 0 == isPrivate
            && (kind & special) == (isRobust ? robust : 0) ? words[2] : 0;
    }

    private static bool IsMuslMutex(uint type, bool isPrivate) => type <= 0x8f && (type & 15) != 0 && (type & 128) == 0 == isPrivate;

    // struct __pthread_rwlock_arch_t
    private static uint WriterOf(uint tid, ulong address, bool isPrivate)
    {
        Span<uint> words = stackalloc uint[8];
        return TryRead(tid, address, words) && (words[0] & 3) == 3 && words[7] == 0 == isPrivate ? words[6] : 0;
    }

    // The thread as the initial namespace knows it, if it can have the lock.
    private static uint? Thread(uint pid, uint owner, bool isPrivate)
    {
        string process = Folder(pid);
        string name = owner.ToString(CultureInfo.InvariantCulture);
        if (Status(process, "NSpid:") is not { Length: > 1 })
        {
            bool isThere = isPrivate ? Directory.Exists($"{process}/task/{name}") : Directory.Exists("/proc/" + name);
            return isThere ? owner : null;
        }

        // In a namespace of its own, where only its own threads are looked at.
        foreach (string folder in Threads(process))
        {
            if (Status(folder, "NSpid:") is [.., var inside] && inside == name)
                return uint.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture);
        }

        return null;
    }

    private static string[] Threads(string process)
    {
        try
        {
            return Directory.GetDirectories(process + "/task");
        }
        catch (IOException)
        {
            return []; // it has ended
        }
    }

    private static string[] Status(string folder, string key) =>
        KernelFile.Lines(folder + "/status").FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal)) is { } line
            ? line[key.Length..].Split(['\t', ' '], StringSplitOptions.RemoveEmptyEntries) : [];

    private static string Folder(uint tid) => "/proc/" + tid.ToString(CultureInfo.InvariantCulture);

    private static uint Word(uint tid, ulong address)
    {
        Span<uint> word = stackalloc uint[1];
        return TryRead(tid, address, word) ? word[0] : 0;
    }

    private static bool TryRead(uint tid, ulong address, Span<uint> words)
    {
        var bytes = MemoryMarshal.AsBytes(words);
        return ProcessMemory.Read(tid, address, bytes) == bytes.Length;
    }
}
