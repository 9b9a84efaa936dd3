// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
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

    public override string Flag => "--failed";

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
