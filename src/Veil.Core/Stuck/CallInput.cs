// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using Veil.Core.Calls;
using Veil.Core.Events;
using Veil.Core.Interop;

namespace Veil.Core.Stuck;

/// <summary>
/// The call that a task is in, as the record that the module <c>syscall</c> would send of one that never returned: what the registers say,
/// and
/// the input that their addresses lead to, read from outside.
/// </summary>
internal sealed class CallInput
{
    private const int ChunkBytesMax = 4096;
    private const int VectorMax = 16;

    private readonly byte[] _record = new byte[CallView.SizeBytes + 32 * 1024];
    private int _length;
    private readonly List<int> _fds = [];
    private bool _showsSockets;

    /// <summary>The first socket among the descriptors of the call that was read last.</summary>
    public SocketTable.Socket? Socket { get; private set; }

    /// <summary>The descriptors among the arguments of the call that was read last.</summary>
    public IReadOnlyList<int> Descriptors => _fds;

    /// <summary>Reads it. The view is valid until the next.</summary>
    /// <param name="task">The task, in a call.</param>
    /// <param name="options">How much is shown.</param>
    /// <param name="descriptors">What descriptors stand for.</param>
    public CallView Read(scoped in StuckTask task, CallOptions options, DescriptorNames descriptors)
    {
        _length = CallView.SizeBytes;
        Socket = null;
        _fds.Clear();
        _showsSockets = options.Descriptors == DescriptorDetail.All;
        // In a namespace of its own /proc has other ids than the kernel gave.
        bool isReachable = PidNamespace.IsInitial;
        var head = _record.AsSpan(0, CallView.SizeBytes);
        head.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(head, task.Number);
        BinaryPrimitives.WriteInt32LittleEndian(head[4..], (int)task.Arch);
        BinaryPrimitives.WriteInt64LittleEndian(head[CallView.RetOffset..], CallView.NeverReturned);
        for (int arg = 0; arg < CallView.ArgsMax; arg++)
            BinaryPrimitives.WriteUInt64LittleEndian(head[(CallView.ArgsOffset + (8 * arg))..], task.Args[arg]);

        var call = new CallView(_record, 0);
        var spec = CallTable.Of(call).Spec;
        for (int arg = 0; arg < spec.Arguments.Count; arg++)
        {
            var argument = spec.Arguments[arg];
            if (isReachable && !task.IsMemoryLocked)
                Add(task, call, arg, argument.Input(arg, options, call.Is32Bit), descriptors);
            if (isReachable && argument.IsDescriptor && options.Descriptors != DescriptorDetail.None)
                AddDescriptor(arg, index: 0, task.Tid, call.Int(arg), descriptors);
        }

        int chunks = _length - CallView.SizeBytes;
        new EventPart(chunks == 0 ? 0u : CallView.SizeBytes, chunks, isTruncated: false, isDeleted: false)
            .Write(head[CallView.PartOffset..]);
        return new CallView(_record, 0);
    }

    private void AddDescriptor(int arg, int index, uint tid, int fd, DescriptorNames descriptors)
    {
        if (!_fds.Contains(fd))
            _fds.Add(fd);
        if (_showsSockets && descriptors.SocketOf(tid, fd) is { } socket)
        {
            Socket ??= socket;
            Add(0, arg, CallChunkKind.Text, Encoding.UTF8.GetBytes(socket.Text), index);
        }
        else if (DescriptorNames.NameOf(tid, fd) is { } name)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(name);
            Add(0, arg, CallChunkKind.Path, bytes, index, bytes.AsSpan().EndsWith(EventPart.DeletedSuffix) ? CallChunkMarks.Deleted
                : CallChunkMarks.None);
        }
    }

    // Elements that begin with a descriptor each.
    private void AddDescriptors(int arg, int unit, int chunkAt, in StuckTask task, DescriptorNames descriptors)
    {
        int end = _length;
        for (int at = chunkAt + CallChunk.HeaderBytes, index = 0; at + unit <= end && index < CallOptions.ElementsMax; at += unit, index++)
            AddDescriptor(arg, index, task.Tid, BinaryPrimitives.ReadInt32LittleEndian(_record.AsSpan(at)), descriptors);
    }

    // A bit for each.
    private void AddDescriptorSet(int arg, int number, int chunkAt, in StuckTask task, DescriptorNames descriptors)
    {
        int first = chunkAt + CallChunk.HeaderBytes, end = _length;
        for (int fd = 0, index = 0; fd < number && first + (fd / 8) < end && index < CallOptions.ElementsMax; fd++)
        {
            if ((_record[first + (fd / 8)] >> (fd % 8) & 1) != 0)
                AddDescriptor(arg, index++, task.Tid, fd, descriptors);
        }
    }

    private void Add(in StuckTask task, in CallView call, int arg, CallReader reader, DescriptorNames descriptors)
    {
        uint tid = task.Tid;
        int before = _length;
        ulong address = call[arg];
        if (address == 0)
            return;
        int size = Math.Min(reader.SizeMax, ChunkBytesMax);
        switch (reader.Read)
        {
            case CallRead.String:
                AddString(tid, address, size, arg, index: 0);
                break;
            case CallRead.Strings:
                AddStrings(tid, address, size, arg, call.WordBytes);
                break;
            case CallRead.Fixed:
                AddBytes(tid, address, (ulong)reader.Unit, size, arg, CallChunkKind.Value, index: 0);
                break;
            case CallRead.Counted:
                AddBytes(
                    tid, address, (ulong)reader.Unit * Math.Min(call[reader.Count], ChunkBytesMax), size, arg, CallChunkKind.Value,
                    index: 0);
                break;
            case CallRead.Descriptors:
                ulong bytes = reader.Count < CallView.ArgsMax
                    ? (ulong)reader.Unit * Math.Min(call[reader.Count], ChunkBytesMax) : (ulong)reader.SizeMax;
                AddBytes(tid, address, bytes, size, arg, CallChunkKind.Value, index: 0);
                AddDescriptors(arg, reader.Unit, before, task, descriptors);
                break;
            case CallRead.DescriptorSet:
                AddBytes(tid, address, (ulong)reader.Unit, size, arg, CallChunkKind.Value, index: 0);
                AddDescriptorSet(arg, call.Int(reader.Count), before, task, descriptors);
                break;
            case CallRead.Vector:
                AddVector(tid, address, call[reader.Count], size, arg, call.WordBytes, CallChunkKind.Value);
                break;
            case CallRead.Message:
                AddMessage(tid, address, size, arg, call.WordBytes);
                break;
            default:
                break;
        }
    }

    private void AddString(uint tid, ulong address, int shown, int arg, int index)
    {
        Span<byte> room = stackalloc byte[ChunkBytesMax];
        // One more than is shown says that there is more.
        int read = ProcessMemory.Read(tid, address, room[..Math.Min(shown + 1, room.Length)]);
        int end = room[..read].IndexOf((byte)0);
        if (read == 0)
            Add(address, arg, CallChunkKind.Value, default, index, CallChunkMarks.Unread);
        else
            Add(address, arg, CallChunkKind.Value, room[..(end < 0 ? read : end)], index, end < 0 ? CallChunkMarks.Truncated
                : CallChunkMarks.None);
    }

    private void AddStrings(uint tid, ulong address, int shown, int arg, int wordBytes)
    {
        for (int index = 0; index <= CallOptions.ElementsMax; index++)
        {
            if (!TryWord(tid, address + (ulong)(index * wordBytes), wordBytes, out ulong text) || text == 0)
                return;
            AddString(tid, text, shown, arg, index);
        }
    }

    private void AddVector(uint tid, ulong address, ulong count, int shown, int arg, int wordBytes, CallChunkKind kind)
    {
        int width = 2 * wordBytes;
        AddBytes(tid, address, Math.Min(count, CallOptions.ElementsMax) * (ulong)width, ChunkBytesMax, arg, kind, index: 0);
        for (int index = 0; index < (int)Math.Min(count, VectorMax); index++)
        {
            ulong at = address + (ulong)(index * width);
            if (!TryWord(tid, at, wordBytes, out ulong part) || !TryWord(tid, at + (ulong)wordBytes, wordBytes, out ulong length))
                return;
            AddBytes(tid, part, length, shown, arg, CallChunkKind.Part, index);
        }
    }

    // struct msghdr: name, its length, vector, its count, control, its length, flags; a word each.
    private void AddMessage(uint tid, ulong address, int shown, int arg, int wordBytes)
    {
        const int nameMax = 128, controlMax = 256;
        Span<ulong> words = stackalloc ulong[6];
        AddBytes(tid, address, (ulong)(7 * wordBytes), ChunkBytesMax, arg, CallChunkKind.Value, index: 0);
        for (int index = 0; index < words.Length; index++)
        {
            if (!TryWord(tid, address + (ulong)(index * wordBytes), wordBytes, out words[index]))
                return;
        }

        if (words[0] != 0 && (uint)words[1] != 0)
            AddBytes(tid, words[0], (uint)words[1], nameMax, arg, CallChunkKind.Name, index: 0);
        if (words[2] != 0 && words[3] != 0)
            AddVector(tid, words[2], words[3], shown, arg, wordBytes, CallChunkKind.Vector);
        if (words[4] != 0 && words[5] != 0)
            AddBytes(tid, words[4], words[5], controlMax, arg, CallChunkKind.Control, index: 0);
    }

    private void AddBytes(uint tid, ulong address, ulong size, int shown, int arg, CallChunkKind kind, int index)
    {
        Span<byte> room = stackalloc byte[ChunkBytesMax];
        int wanted = (int)Math.Min(size, (ulong)Math.Min(shown, ChunkBytesMax));
        int read = ProcessMemory.Read(tid, address, room[..wanted]);
        if (read < wanted)
            Add(address, arg, kind, default, index, CallChunkMarks.Unread);
        else
            Add(address, arg, kind, room[..read], index, (ulong)wanted < size ? CallChunkMarks.Truncated : CallChunkMarks.None);
    }

    private static bool TryWord(uint tid, ulong address, int wordBytes, out ulong word)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        bytes.Clear();
        bool isRead = ProcessMemory.Read(tid, address, bytes[..wordBytes]) == wordBytes;
        word = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        return isRead;
    }

    private void Add(
        ulong address, int arg, CallChunkKind kind, ReadOnlySpan<byte> bytes, int index = 0, CallChunkMarks marks = CallChunkMarks.None)
    {
        int padded = (bytes.Length + 7) & ~7;
        if (_length + CallChunk.HeaderBytes + padded > _record.Length)
            return;
        CallChunk.WriteHeader(_record.AsSpan(_length), address, bytes.Length, arg, index, marks, kind);
        bytes.CopyTo(_record.AsSpan(_length + CallChunk.HeaderBytes));
        _length += CallChunk.HeaderBytes + padded;
    }
}
