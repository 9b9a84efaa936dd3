// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Calls;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;

namespace Veil.Core.Recordings;

/// <summary>What the events of one kind tell of the tree of processes: who makes whom, who executes, who ends.</summary>
/// <param name="schema">The events.</param>
internal sealed class ProcessLinks(EventSchema schema)
{
    private static readonly byte[][] s_forks = ["clone"u8.ToArray(), "clone3"u8.ToArray(), "fork"u8.ToArray(), "vfork"u8.ToArray()];

    private readonly EventValue? _call = schema.Fields.FirstOrDefault(static field => field.Value.Is<CallKind>()).Value;
    private readonly EventValue? _parent = Find(schema, "ppid");
    private readonly EventValue? _type = Find(schema, "evt_type");
    private readonly EventValue? _thread = Find(schema, "thread");
    private readonly EventValue? _child = Find(schema, "child_pid");

    /// <summary>The parent of the process that the event is of.</summary>
    public bool TryGetParent(ReadOnlySpan<byte> record, out uint pid)
    {
        pid = _parent is { } parent ? (uint)parent.Unsigned(record) : 0;
        return pid != 0;
    }

    /// <summary>A child that it makes; of a call it may be the id of a thread.</summary>
    /// <param name="record">The event.</param>
    /// <param name="called">The call's name.</param>
    /// <param name="pid">The child.</param>
    public bool TryGetChild(ReadOnlySpan<byte> record, scoped ReadOnlySpan<byte> called, out uint pid)
    {
        pid = 0;
        if (_call is not null)
        {
            var call = new CallView(record, _call.Offset);
            if (!call.HasSucceeded || call.Ret is <= 0 or > int.MaxValue)
                return false;
            foreach (byte[] fork in s_forks)
            {
                if (called.SequenceEqual(fork))
                    pid = (uint)call.Ret;
            }

            return pid != 0;
        }

        if (_child is not { } child || !Is(record, "FORK"u8))
            return false;
        pid = (uint)child.Unsigned(record);
        return true;
    }

    /// <summary>Does the process execute another program from then on?</summary>
    public bool IsExec(ReadOnlySpan<byte> record, scoped ReadOnlySpan<byte> called) => _call is null ? Is(record, "EXEC"u8)
        : called.StartsWith("execve"u8) && new CallView(record, _call.Offset).HasSucceeded;

    /// <summary>Does the process end?</summary>
    public bool IsExit(ReadOnlySpan<byte> record, scoped ReadOnlySpan<byte> called) =>
        _call is null ? Is(record, "EXIT"u8) : called.SequenceEqual("exit_group"u8);

    private bool Is(ReadOnlySpan<byte> record, scoped ReadOnlySpan<byte> name) =>
        _type is { } type && type.Unsigned(record) is var number && number < (ulong)type.Names.Length
        && type.Names[number].AsSpan().SequenceEqual(name) && _thread?.Unsigned(record) != 1;

    private static EventValue? Find(EventSchema schema, string name) => schema.Fields.FirstOrDefault(field => field.Name == name).Value;
}
