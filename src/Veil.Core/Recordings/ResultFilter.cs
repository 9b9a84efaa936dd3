// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Calls;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Modules;

namespace Veil.Core.Recordings;

/// <summary>By what something came to: <c>--failed</c> and <c>--errno</c>, as <c>bpf/veil/result.bpf.h</c> decides it.</summary>
/// <param name="onlyFailed">Is <c>--failed</c> given?</param>
/// <param name="keys">The errors of <c>--errno</c>.</param>
/// <param name="result">The member that is negative where it failed; none: it does not say.</param>
/// <param name="failing">Members that are not 0 where it failed.</param>
/// <param name="types">The member that says what kind of event it is, and its values that are failures.</param>
internal sealed class ResultFilter(
    bool onlyFailed, IReadOnlyDictionary<ulong, FilterBits> keys, EventMember? result, IReadOnlyList<EventMember> failing,
    (EventMember? Member, IReadOnlyList<long> Failures) types) : EventFilter
{
    private readonly FilterBits _mode = keys.Values.Aggregate(FilterBits.None, static (all, bits) => all | bits);

    private static readonly string[] s_ofExits = ["exit_code", "exit_signal"];

    public override string Flag => "--failed";

    /// <summary>Members that are not 0 where a process has failed.</summary>
    public static List<EventMember> FailingOf(EventLayout layout) => [.. s_ofExits.Select(layout.Find).OfType<EventMember>()];

    /// <summary>The member that is negative where something failed; none: it does not say.</summary>
    public static EventMember? ResultOf(EventLayout layout) =>
        layout.Members.FirstOrDefault(static member => member is { Name: "ret" or "errno", Size: sizeof(long) })
        ?? (layout.Members.FirstOrDefault(static member => member.Type == CallView.TypeName) is { } call
        ? call with { Offset = call.Offset + CallView.RetOffset, Size = sizeof(long) } : null);

    /// <summary>Processes that ended with another status than 0, or by a signal.</summary>
    public static ResultFilter? OfExit(EventLayout layout) => FailingOf(layout) is { Count: > 0 } failing
        ? new(true, new Dictionary<ulong, FilterBits>(), null, failing, (null, [])) : null;

    /// <summary>What failed with one error.</summary>
    public static ResultFilter? OfErrno(EventLayout layout, ulong errno) => ResultOf(layout) is { } result
        ? new(false, new Dictionary<ulong, FilterBits> { [errno] = FilterBits.Allow }, result, [], (null, [])) : null;

    public override bool Passes(ref EventView view)
    {
        ulong errno = Errno(view.Record);
        bool isRestart = errno is >= 512 and <= 514 or 516;
        if (onlyFailed && (errno == 0 || (isRestart && !_mode.HasFlag(FilterBits.Allow))) && !HasFailed(view.Record))
            return false;
        return NumberFilter.Decide(keys.GetValueOrDefault(errno), _mode);
    }

    private ulong Errno(ReadOnlySpan<byte> record)
    {
        const long most = 4095;
        if (result is null)
            return 0;
        long value = BinaryPrimitives.ReadInt64LittleEndian(record[result.Offset..]);
        return value is < 0 and >= -most ? (ulong)-value : 0;
    }

    private bool HasFailed(ReadOnlySpan<byte> record)
    {
        foreach (var member in failing)
        {
            var bytes = record.Slice(member.Offset, member.Size);
            // All ones: the event has no such value.
            if (bytes.ContainsAnyExcept((byte)0) && bytes.ContainsAnyExcept((byte)0xff))
                return true;
        }

        return types.Member is { } type && types.Failures.Contains(BinaryPrimitives.ReadUInt32LittleEndian(record[type.Offset..]));
    }
}
