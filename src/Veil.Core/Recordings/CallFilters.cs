// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Calls;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Modules;

namespace Veil.Core.Recordings;

/// <summary>By the descriptors of a call: those it is given, and the one it makes.</summary>
internal sealed class RecordedDescriptorFilter(IReadOnlyDictionary<ulong, FilterBits> keys, EventMember place) : EventFilter
{
    private readonly FilterBits _mode = keys.Values.Aggregate(FilterBits.None, static (all, bits) => all | bits);

    public override string Flag => "--" + FdDimension.FlagName;

    public override bool Passes(ref EventView view)
    {
        var call = new CallView(view.Record, place.Offset);
        var spec = CallTable.Of(call.Arch, call.Number).Spec;
        var bits = FilterBits.None;
        for (int position = 0; position < spec.Arguments.Count && position < CallView.ArgsMax; position++)
        {
            if (spec.Arguments[position].IsDescriptor && call.Int(position) >= 0)
                bits |= keys.GetValueOrDefault((ulong)call.Int(position));
        }

        if (spec.Result == CallResult.Descriptor && call.HasSucceeded)
            bits |= keys.GetValueOrDefault((ulong)call.Ret);
        return NumberFilter.Decide(bits, _mode);
    }
}

/// <summary>By the paths of a call: those it is given, and those that its descriptors stand for.</summary>
internal sealed class RecordedCallPathFilter(FilterExpression filter, EventMember place) : EventFilter
{
    private readonly PathAutomaton _paths = PathAutomaton.Of(filter.Bits);

    public override string Flag => "--" + filter.Dimension.Name;

    public override bool Passes(ref EventView view)
    {
        var call = new CallView(view.Record, place.Offset);
        var arguments = CallTable.Of(call.Arch, call.Number).Spec.Arguments;
        var bits = FilterBits.None;
        var row = call.Row;
        while (CallChunk.TryTake(ref row, out var chunk))
        {
            bool isPath = chunk.Kind == CallChunkKind.Path
                || (chunk.Kind == CallChunkKind.Value && chunk.Arg < arguments.Count && arguments[chunk.Arg].IsPath);
            if (isPath && chunk.IsRead)
                bits |= _paths.Find(chunk.Bytes);
        }

        return _paths.Passes(bits);
    }
}
