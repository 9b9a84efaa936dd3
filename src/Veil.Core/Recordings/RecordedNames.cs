// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Cgroups;
using Veil.Core.Enrichers;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Stacks;

namespace Veil.Core.Recordings;

/// <summary>The machine as it was: what the notes of a recording tell.</summary>
internal sealed class RecordedNames : EventNames
{
    private readonly Dictionary<uint, byte[]> _users = [];
    private readonly Dictionary<uint, byte[]> _processes = [];
    private readonly Dictionary<uint, byte[]> _executables = [];
    private readonly Dictionary<ulong, ContainerText> _containers = [];
    private long _clockNs;
    private byte[] _why = [];

    /// <summary>Forgets all, as another block begins.</summary>
    public void Clear()
    {
        _users.Clear();
        _processes.Clear();
        _executables.Clear();
        _containers.Clear();
        _why = [];
    }

    /// <summary>Why a path refused an event is told in front of that one alone.</summary>
    public void Took() => _why = _why.Length > 0 ? [] : _why;

    /// <summary>Takes a note about a name.</summary>
    /// <exception cref="RecordingException">It is cut off.</exception>
    public void Take(NoteType type, ReadOnlySpan<byte> note)
    {
        if (note.Length < type switch
        {
            NoteType.User or NoteType.Process or NoteType.Executable => sizeof(uint),
            NoteType.Container or NoteType.Cgroup or NoteType.Clock => sizeof(ulong),
            NoteType.Stack => StackNote.HeadBytes,
            _ => 0,
        })
            throw new RecordingException("a block is damaged: a note is cut off");
        switch (type)
        {
            case NoteType.User:
                _users[BinaryPrimitives.ReadUInt32LittleEndian(note)] = Name(note[sizeof(uint)..]);
                break;
            case NoteType.Process:
                _processes[BinaryPrimitives.ReadUInt32LittleEndian(note)] = Name(note[sizeof(uint)..]);
                break;
            case NoteType.Executable:
                _executables[BinaryPrimitives.ReadUInt32LittleEndian(note)] = note.Slice(sizeof(uint), Math.Min(note.Length - sizeof(uint), EventPart.LengthMax)).ToArray();
                break;
            case NoteType.Cgroup:
                CgroupTree.Own.Made(BinaryPrimitives.ReadUInt64LittleEndian(note), note[sizeof(ulong)..]);
                break;
            case NoteType.Clock:
                _clockNs = BinaryPrimitives.ReadInt64LittleEndian(note);
                break;
            case NoteType.Why:
                _why = note[..Math.Min(note.Length, WhyKind.TextBytesMax)].ToArray();
                break;
            case NoteType.Stack:
                StackTable.Own.Add(StackNote.Read(note));
                break;
            case NoteType.Container:
                TakeContainer(BinaryPrimitives.ReadUInt64LittleEndian(note), note[sizeof(ulong)..]);
                break;
        }
    }

    public override long WallTimeNs(ulong timestamp) => (long)timestamp + _clockNs;

    public override ReadOnlySpan<byte> User(uint uid) => _users.GetValueOrDefault(uid);

    public override ReadOnlySpan<byte> Process(uint pid, ulong timestamp) => _processes.GetValueOrDefault(pid);

    public override ReadOnlySpan<byte> Executable(uint pid) => _executables.GetValueOrDefault(pid);

    public override ContainerText? Container(scoped ref EventView view, ulong timestamp) => view.Schema.HasOrigin
        ? _containers.GetValueOrDefault(BinaryPrimitives.ReadUInt64LittleEndian(view.Record[view.Schema.CgroupOffset..])) : null;

    public override ReadOnlySpan<byte> Why(scoped ref EventView view, uint pid, uint uid, ulong timestamp) => _why;

    /// <summary>Reads text behind its length, and moves on.</summary>
    internal static ReadOnlySpan<byte> TakeSized(ref ReadOnlySpan<byte> note)
    {
        int length = note.Length >= sizeof(ushort) ? BinaryPrimitives.ReadUInt16LittleEndian(note) : int.MaxValue;
        if (length > note.Length - sizeof(ushort))
            throw new RecordingException("a block is damaged: a note is cut off");
        var text = note.Slice(sizeof(ushort), length);
        note = note[(sizeof(ushort) + length)..];
        return text;
    }

    private void TakeContainer(ulong cgroup, ReadOnlySpan<byte> note)
    {
        if (note.IsEmpty)
            _containers.Remove(cgroup);
        else
        {
            byte[] name = Name(TakeSized(ref note)), pod = Name(TakeSized(ref note)), podNamespace = Name(TakeSized(ref note)),
                image = Name(TakeSized(ref note)), id = Name(TakeSized(ref note));
            _containers[cgroup] = new ContainerText(name, id, pod, podNamespace, image);
        }
    }

    // Lines have room for so much.
    private static byte[] Name(ReadOnlySpan<byte> name) => name[..Math.Min(name.Length, EventView.NameBytesMax)].ToArray();
}
