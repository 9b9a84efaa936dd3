// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Core.Interop;

/// <summary>Users, processes and messages with descriptors in them.</summary>
internal static unsafe partial class LibC
{
    public const int SockSeqpacketCloexec = 5 | 0x80000;
    public const int ShutWrite = 1;

    private const int ScmRights = 1;

    // struct cmsghdr of a 64-bit machine: a length of eight bytes, level, type; a descriptor follows, and padding.
    private const int ControlHeadBytes = 16;
    private const int ControlBytes = 24;

    // glibc's own sizes, rounded up: posix_spawnattr_t has 336, posix_spawn_file_actions_t 80, sigset_t 128 bytes.
    private const int SpawnStructBytes = 512;
    private const int SignalSetBytes = 128;
    private const short SpawnSetSignalMask = 8;
    private const short SpawnSetSession = 0x80;

    // These three change every thread, as POSIX has it; the kernel's own calls change one (nptl(7)).
    [LibraryImport("libc", EntryPoint = "setresuid", SetLastError = true)]
    internal static partial int SetUsers(uint real, uint effective, uint saved);

    [LibraryImport("libc", EntryPoint = "setresgid", SetLastError = true)]
    internal static partial int SetGroups(uint real, uint effective, uint saved);

    [LibraryImport("libc", EntryPoint = "setgroups", SetLastError = true)]
    internal static partial int SetSupplementaryGroups(nint count, uint* groups);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    internal static partial int SetLimit(int resource, ulong* softAndHard);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    internal static partial int WaitFor(int process, int* status, int options);

    [LibraryImport("libc", EntryPoint = "shutdown")]
    internal static partial int ShutDown(int socket, int how);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    internal static partial int SetSockOpt(int socket, int level, int name, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "chdir", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ChangeFolder(string path);

    /// <summary>Two ends of a socket that keeps messages apart.</summary>
    public static bool TryMakePair(out int one, out int other)
    {
        int* ends = stackalloc int[2];
        bool made = SocketPair(AfUnix, SockSeqpacketCloexec, 0, ends) == 0;
        (one, other) = made ? (ends[0], ends[1]) : (-1, -1);
        return made;
    }

    /// <summary>Sends a message, and a descriptor with it if there is one.</summary>
    public static bool SendWith(int socket, void* data, int bytes, int fd)
    {
        byte* control = stackalloc byte[ControlBytes];
        var part = new IoVector { Base = data, Bytes = bytes };
        var message = new MessageHead { Parts = &part, PartCount = 1 };
        if (fd >= 0)
        {
            *(nint*)control = ControlHeadBytes + sizeof(int);
            *(int*)(control + 8) = SolSocket;
            *(int*)(control + 12) = ScmRights;
            *(int*)(control + ControlHeadBytes) = fd;
            message.Control = control;
            message.ControlBytes = ControlBytes;
        }

        return SendMessage(socket, &message, MsgNoSignal) == bytes;
    }

    /// <summary>Takes a message, and the descriptor in it if there is one.</summary>
    /// <returns>Bytes taken; 0 where the other end is closed, -1 with an error.</returns>
    public static int ReceiveWith(int socket, void* data, int bytes, out int fd)
    {
        const int closeOnExec = 0x40000000; // MSG_CMSG_CLOEXEC
        byte* control = stackalloc byte[ControlBytes];
        var part = new IoVector { Base = data, Bytes = bytes };
        var message = new MessageHead { Parts = &part, PartCount = 1, Control = control, ControlBytes = ControlBytes };
        int taken = (int)ReceiveMessage(socket, &message, closeOnExec);
        fd = taken > 0 && message.ControlBytes >= ControlHeadBytes + sizeof(int) && *(int*)(control + 8) == SolSocket
            && *(int*)(control + 12) == ScmRights
            ? *(int*)(control + ControlHeadBytes)
            : -1;
        return taken;
    }

    /// <summary>Opens a file for reading.</summary>
    /// <param name="path">The path, ended by a NUL.</param>
    public static int OpenToRead(ReadOnlySpan<byte> path)
    {
        fixed (byte* name = path)
            return Open(name, ORdonlyCloexec);
    }

    /// <summary>Reads what fits.</summary>
    public static int Read(int fd, Span<byte> content)
    {
        fixed (byte* target = content)
            return (int)Read(fd, target, content.Length);
    }

    /// <summary>
    /// Starts a program in a session of its own, with every signal blocked and nothing at the standard streams. <paramref name="kept"/>
    /// become the descriptors from 3 on.
    /// </summary>
    /// <returns>Its process id, or -1.</returns>
    public static int Spawn(string file, string[] arguments, ReadOnlySpan<int> kept)
    {
        byte* attributes = stackalloc byte[SpawnStructBytes];
        byte* actions = stackalloc byte[SpawnStructBytes];
        byte* signals = stackalloc byte[SignalSetBytes];
        new Span<byte>(signals, SignalSetBytes).Fill(0xff);
        byte* nothing =
            stackalloc byte[] { (byte)'/', (byte)'d', (byte)'e', (byte)'v', (byte)'/', (byte)'n', (byte)'u', (byte)'l', (byte)'l', 0 };
        _ = SpawnAttributesInit(attributes);
        _ = SpawnAttributesSetSignals(attributes, signals);
        _ = SpawnAttributesSetFlags(attributes, SpawnSetSignalMask | SpawnSetSession);
        _ = SpawnActionsInit(actions);
        const int readWrite = 2;
        for (int stream = 0; stream < 3; stream++)
            _ = SpawnActionsAddOpen(actions, stream, nothing, readWrite, 0);
        for (int index = 0; index < kept.Length; index++)
            _ = SpawnActionsAddDup(actions, kept[index], 3 + index);

        nint* words = stackalloc nint[arguments.Length + 1];
        for (int index = 0; index < arguments.Length; index++)
            words[index] = Marshal.StringToCoTaskMemUTF8(arguments[index]);
        words[arguments.Length] = 0;
        nint environment = 0;
        int process;
        int error = PosixSpawn(&process, file, actions, attributes, words, &environment);
        for (int index = 0; index < arguments.Length; index++)
            Marshal.FreeCoTaskMem(words[index]);
        _ = SpawnActionsDestroy(actions);
        _ = SpawnAttributesDestroy(attributes);
        return error == 0 ? process : -1;
    }

    /// <summary>
    /// Starts a program with our output and environment, and <paramref name="input"/> as its standard input. <paramref name="kept"/> become
    /// the descriptors from 3 on; below 0 there is none.
    /// </summary>
    /// <returns>Its process id, or -1 and an errno.</returns>
    public static int SpawnBeside(string file, string[] arguments, int input, ReadOnlySpan<int> kept)
    {
        byte* actions = stackalloc byte[SpawnStructBytes];
        _ = SpawnActionsInit(actions);
        _ = SpawnActionsAddDup(actions, input, 0);
        for (int index = 0; index < kept.Length; index++)
        {
            if (kept[index] >= 0)
                _ = SpawnActionsAddDup(actions, kept[index], 3 + index);
        }

        List<string> variables = [];
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
            variables.Add($"{variable.Key}={variable.Value}");
        nint* words = stackalloc nint[arguments.Length + 1];
        nint[] environment = new nint[variables.Count + 1];
        for (int index = 0; index < arguments.Length; index++)
            words[index] = Marshal.StringToCoTaskMemUTF8(arguments[index]);
        words[arguments.Length] = 0;
        for (int index = 0; index < variables.Count; index++)
            environment[index] = Marshal.StringToCoTaskMemUTF8(variables[index]);
        int process, error;
        fixed (nint* values = environment)
            error = PosixSpawn(&process, file, actions, null, words, values);
        for (int index = 0; index < arguments.Length; index++)
            Marshal.FreeCoTaskMem(words[index]);
        foreach (nint variable in environment)
            Marshal.FreeCoTaskMem(variable);
        _ = SpawnActionsDestroy(actions);
        Marshal.SetLastPInvokeError(error);
        return error == 0 ? process : -1;
    }

    /// <summary>The same descriptor under a number that is out of the way.</summary>
    public static int DuplicateHigh(int fd)
    {
        const int duplicateCloexec = 1030; // F_DUPFD_CLOEXEC
        return Fcntl(fd, duplicateCloexec, 16);
    }

    [LibraryImport("libc", EntryPoint = "socketpair", SetLastError = true)]
    private static partial int SocketPair(int domain, int type, int protocol, int* ends);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    private static partial nint SendMessage(int socket, MessageHead* message, int flags);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    private static partial nint ReceiveMessage(int socket, MessageHead* message, int flags);

    [LibraryImport("libc", EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int PosixSpawn(int* process, string file, void* actions, void* attributes, nint* arguments, nint* environment);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    private static partial int SpawnAttributesInit(void* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    private static partial int SpawnAttributesSetSignals(void* attributes, void* signals);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    private static partial int SpawnAttributesSetFlags(void* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    private static partial int SpawnAttributesDestroy(void* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int SpawnActionsInit(void* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen")]
    private static partial int SpawnActionsAddOpen(void* actions, int fd, byte* path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int SpawnActionsAddDup(void* actions, int fd, int newFd);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int SpawnActionsDestroy(void* actions);

    // struct msghdr and struct iovec of a 64-bit machine.
    [StructLayout(LayoutKind.Sequential)]
    private struct MessageHead
    {
        public void* Name;
        public uint NameBytes;
        public IoVector* Parts;
        public nint PartCount;
        public void* Control;
        public nint ControlBytes;
        public int Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct IoVector
    {
        public void* Base;
        public nint Bytes;
    }
}
