// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Events;
using Veil.Core.Modules;

namespace Veil.Core.Recordings;

/// <summary><c>--slower</c>: what is not known to have been slow, was not.</summary>
internal sealed class SlowFilter(ulong leastNs, EventMember duration) : EventFilter
{
    public override string Flag => "--" + Thresholds.Slower.Name;

    public override bool Passes(ref EventView view) =>
        BinaryPrimitives.ReadUInt64LittleEndian(view.Record[duration.Offset..]) is var ns && ns >= leastNs && ns != ulong.MaxValue;
}
