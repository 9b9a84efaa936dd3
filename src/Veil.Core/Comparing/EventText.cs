// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Calls;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Text;

namespace Veil.Core.Comparing;

/// <summary>How the events of one kind are compared, and shown where they differ.</summary>
internal sealed class EventText
{
    // Of these there are as many as time or load have it.
    private static readonly string[] s_ofTiming =
        ["futex", "futex_wait", "futex_wake", "futex_waitv", "sched_yield", "restart_syscall", "rt_sigreturn", "sigreturn",
            "getrandom"];

    private static readonly string[] s_waits = ["poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2"];
    private static readonly string[] s_transfers =
        ["read", "write", "readv", "writev", "recvfrom", "sendto", "recvmsg", "sendmsg", "recvmmsg", "sendmmsg", "splice", "sendfile"];

    private readonly EventField[] _names;
    private readonly EventField[] _keys;
    private readonly EventField[] _others;
    private readonly EventField[] _ends;
    private readonly EventValue? _result;
    private readonly EventValue? _call;
    private readonly EventValue? _duration;

    /// <summary>Chooses the fields.</summary>
    public EventText(EventSchema schema)
    {
        string[] derived = ["_nr", "truncated", "deleted"];
        var fields = schema.Fields.Where(
            field => !Array.Exists(derived, ending => field.Name.EndsWith(ending, StringComparison.Ordinal))).ToList();
        _call = fields.Find(static field => field.Value.Is<CallKind>()).Value;
        _duration = fields.Find(static field => field.Name == "duration_ns" && field.Value.Size == sizeof(ulong)).Value;
        Lane = schema.Layout.Name;
        _names = [.. fields.Where(static field => field.Value.Is<SyscallKind>() || field.Name is "op" or "evt_type").Take(1)];
        _keys = [.. fields.Where(static field => field.Value.Is<PathKind>() || field.Value.Is<ArgvKind>() || field.Value.Is<DnsNameKind>()
            || field.Name is "daddr" or "dport" or "signal" or "function" or "probe")];
        _result = fields.Find(static field => field.Value.Is<ReturnKind>() || field.Value.Is<ErrnoKind>()).Value;
        _ends = [.. fields.Where(static field => field.Name is "exit_code" or "exit_signal")];
        _others = [.. fields.Where(field => !_names.Contains(field) && !_keys.Contains(field) && IsCompared(field))];
    }

    /// <summary>Events of one lane are compared in their order.</summary>
    public string Lane { get; }

    /// <summary>Nanoseconds that it took, where that is known.</summary>
    public ulong DurationNs(ReadOnlySpan<byte> record) => _duration?.Unsigned(record) ?? 0;

    /// <summary>The call in a record, where it has one.</summary>
    public bool TryGetCall(ReadOnlySpan<byte> record, out CallView call)
    {
        call = _call is null ? default : new CallView(record, _call.Offset);
        return _call is not null;
    }

    /// <summary>Writes what stands for an event.</summary>
    /// <param name="view">The event.</param>
    /// <param name="mask">Takes out what means nothing.</param>
    /// <param name="name">Where its name goes.</param>
    /// <param name="anchor">Where its name and paths go.</param>
    /// <param name="whole">Where all goes that is compared.</param>
    /// <param name="shown">Where goes what is shown for it.</param>
    /// <returns>What is to be made of it.</returns>
    public EventTraits Write(
        ref EventView view, CallMask mask, ref LineWriter name, ref LineWriter anchor, ref LineWriter whole, ref LineWriter shown)
    {
        if (TryGetCall(view.Record, out var call))
            return WriteCall(call, mask, ref name, ref anchor, ref whole, ref shown);
        foreach (var field in _names)
            field.Value.WritePair(ref name, ref view);
        if (_names.Length == 0)
            name.Append(System.Text.Encoding.UTF8.GetBytes(Lane.EndsWith("_event", StringComparison.Ordinal) ? Lane[..^6] : Lane));
        anchor.Append(name.Written);
        shown.Append(name.Written);
        AppendFields(_keys, ref view, mask, ref anchor, ref shown);
        whole.Append(anchor.Written);
        AppendFields(_others, ref view, mask, ref whole, ref shown);
        return WriteResult(ref view, ref whole, ref shown);
    }

    private EventTraits WriteResult(ref EventView view, ref LineWriter whole, ref LineWriter shown)
    {
        bool failed = false;
        foreach (var field in _ends)
        {
            int from = shown.Length;
            shown.Append((byte)' ');
            shown.Append(System.Text.Encoding.UTF8.GetBytes(field.Name));
            shown.Append((byte)'=');
            int value = shown.Length;
            field.Value.WritePair(ref shown, ref view);
            bool isThere = !shown.Written[value..].SequenceEqual("?"u8);
            whole.Append(shown.Written[from..]);
            failed |= isThere && !shown.Written[value..].SequenceEqual("0"u8);
            if (!isThere)
                shown.Truncate(from);
        }

        if (_result is { } result)
        {
            int error = ErrnoKind.Of(result.Signed(view.Record));
            failed |= error != 0;
            int from = shown.Length;
            shown.Append(" = "u8);
            int value = shown.Length;
            if (error != 0)
                shown.Append(Bpf.Errno.NameUtf8(error));
            else
                result.WritePair(ref shown, ref view);
            if (shown.Written[value..].SequenceEqual("?"u8))
                shown.Truncate(from);
            whole.Append((byte)'=');
            if (error != 0)
                whole.Append(Bpf.Errno.NameUtf8(error));
            else
                whole.Append(result.Signed(view.Record) == 0 ? (byte)'0' : (byte)'+');
        }

        return failed ? EventTraits.Failed : EventTraits.None;
    }

    private static void AppendFields(
        EventField[] fields, ref EventView view, CallMask mask, ref LineWriter masked, ref LineWriter shown)
    {
        foreach (var field in fields)
        {
            int from = shown.Length;
            shown.Append((byte)' ');
            shown.Append(System.Text.Encoding.UTF8.GetBytes(field.Name));
            shown.Append((byte)'=');
            int value = shown.Length;
            field.Value.WritePair(ref shown, ref view);
            if (shown.Written[value..].SequenceEqual("?"u8))
            {
                shown.Truncate(from);
                continue;
            }

            masked.Append(shown.Written[from..value]);
            mask.AppendPath(ref masked, shown.Written[value..]);
        }
    }

    private static EventTraits WriteCall(
        in CallView call, CallMask mask, ref LineWriter name, ref LineWriter anchor, ref LineWriter whole, ref LineWriter shown)
    {
        CallText.AppendName(ref name, call);
        string called = System.Text.Encoding.UTF8.GetString(name.Written);
        CallText.Write(ref shown, call, CallOptions.Current);
        mask.Learn(shown.Written, called);
        anchor.Append(name.Written);
        for (int index = 0; CallFacts.TryGetPath(call, index, out var path) && index < 2; index++)
        {
            anchor.Append((byte)' ');
            mask.AppendPath(ref anchor, path);
        }

        bool onStream = false;
        if (CallDescriptor.TryFind(call, 0, 0, out var descriptor))
        {
            onStream = descriptor.Kind == CallChunkKind.Socket || descriptor.Bytes.IsEmpty || descriptor.Bytes[0] != '/';
            anchor.Append((byte)'<');
            if (!onStream)
                mask.AppendPath(ref anchor, descriptor.Bytes);
            else
                anchor.Append(KindOf(descriptor));
        }

        // How a stream's bytes are cut into calls is a matter of timing.
        bool isFlowing = (onStream && s_transfers.Contains(called)) || s_waits.Contains(called);
        var arguments = shown.Written[name.Length..];
        int end = call.HasReturned ? arguments.LastIndexOf(") = "u8) : -1;
        if (isFlowing)
            whole.Append(anchor.Written);
        else
            mask.Append(ref whole, end < 0 ? shown.Written : shown.Written[..(name.Length + end)], called);
        WriteResult(ref whole, call, end < 0 ? [] : arguments[(end + 4)..], mask, called);
        bool failed = call.HasFailed || (called is "exit" or "exit_group" && call.Int(0) != 0);
        return (failed ? EventTraits.Failed : EventTraits.None) | (isFlowing ? EventTraits.Flowing : EventTraits.None)
            | (s_ofTiming.Contains(called) ? EventTraits.OfTiming : EventTraits.None);
    }

    // Of pipe:[12345] what stands before the number.
    private static ReadOnlySpan<byte> KindOf(in CallChunk descriptor) => descriptor.Kind == CallChunkKind.Socket ? "socket"u8
        : descriptor.Bytes.IndexOf((byte)':') is var colon and > 0 ? descriptor.Bytes[..colon] : "stream"u8;

    // That an error came, or none, or nothing; what a new descriptor stands for. No number that is more than 0.
    private static void WriteResult(
        ref LineWriter whole, scoped in CallView call, scoped ReadOnlySpan<byte> result, CallMask mask, string called)
    {
        whole.Append(" = "u8);
        if (!call.HasReturned)
            whole.Append((byte)'?');
        else if (call.HasFailed)
            whole.Append(Bpf.Errno.NameUtf8((int)-call.Ret));
        else if (CallDescriptor.TryFind(call, CallView.ReturnArg, 0, out _) && result.IndexOf((byte)'<') is var bracket and >= 0)
            mask.Append(ref whole, result[bracket..], called);
        else
            whole.Append(call.Ret == 0 ? (byte)'0' : (byte)'+');
    }

    private static bool IsCompared(EventField field) =>
        field.Name is not ("module" or "comm" or "parent_comm" or "oom_comm" or "arch" or "thread" or "exit_code" or "exit_signal") && (
        field.Value.Is<EnumKind>() || field.Value.Is<OptionalEnumKind>() || field.Value.Is<IpKind>() || field.Value.Is<SignalKind>()
        || field.Value.Is<FileFlagsKind>() || field.Value.Is<FileModeKind>() || field.Value.Is<ReasonKind>() || field.Value.Is<CommKind>()
        || field.Value.Is<PathKind>() || field.Value.Is<ArgvKind>());
}
