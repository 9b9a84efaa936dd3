// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Budgets;
using Veil.Core.Events;
using Veil.Core.Losses;
using Veil.Core.Sinks;

namespace Veil.Core.Enrichers;

/// <summary>Adds what the kernel's record does not hold: wall-clock time, the user's name, the process's current name, what it
/// executes, its container, why a path refused.</summary>
internal sealed class EnrichSink(IEventSink next, Enrichments enrichments, EventHeader header, EventNames names) : IEventSink
{
    private readonly bool _time = enrichments.HasFlag(Enrichments.Time);
    private readonly bool _user = enrichments.HasFlag(Enrichments.User);
    private readonly bool _proc = enrichments.HasFlag(Enrichments.Proc);
    private readonly bool _exe = enrichments.HasFlag(Enrichments.Exe);
    private readonly bool _container = enrichments.HasFlag(Enrichments.Container);
    private readonly bool _why = enrichments.HasFlag(Enrichments.Why);

    /// <inheritdoc/>
    public ulong Delivered => next.Delivered;

    /// <inheritdoc/>
    public void Write(ref EventView view)
    {
        var record = view.Record;
        ulong timestamp = BinaryPrimitives.ReadUInt64LittleEndian(record[header.TimestampOffset..]);
        if (_time)
            view.WallTimeNs = names.WallTimeNs(timestamp);
        if (_user)
            view.UserName = names.User(BinaryPrimitives.ReadUInt32LittleEndian(record[header.UidOffset..]));
        if (_proc)
            view.ProcName = names.Process(BinaryPrimitives.ReadUInt32LittleEndian(record[header.PidOffset..]), timestamp);
        if (_exe)
            view.Executable = names.Executable(BinaryPrimitives.ReadUInt32LittleEndian(record[header.PidOffset..]));
        if (_container)
            view.Container = names.Container(ref view, timestamp);
        if (_why)
            view.Why =
                names.Why(
                ref view, BinaryPrimitives.ReadUInt32LittleEndian(record[header.PidOffset..]),
                BinaryPrimitives.ReadUInt32LittleEndian(record[header.UidOffset..]), timestamp);
        next.Write(ref view);
    }

    /// <inheritdoc/>
    public bool Lost(LossKey key, LossCount lost) => next.Lost(key, lost);

    /// <inheritdoc/>
    public bool Tell(BudgetNotice notice) => next.Tell(notice);

    /// <inheritdoc/>
    public void Flush() => next.Flush();

    /// <inheritdoc/>
    public void End() => next.End();
}
