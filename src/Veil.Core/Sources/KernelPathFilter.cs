// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Veil.Bpf;
using Veil.Core.Filters;
using Veil.Core.Interop;

namespace Veil.Core.Sources;

/// <summary>The kernel's side of a filter by path, in the object of one module: <c>bpf/veil/filter_path.bpf.h</c>.</summary>
internal sealed class KernelPathFilter : IFilterStorage
{
    private readonly BpfObject _object;
    private readonly PathDimension _dimension;
    private readonly uint _counter;
    private readonly BpfHashMap<uint, PathSet> _sets;
    private readonly PathSet[] _set = new PathSet[1];
    private bool _wasChanged;

    /// <summary>Finds the filter in a loaded object.</summary>
    /// <param name="bpfObject">The object.</param>
    /// <param name="dimension">One of its dimensions.</param>
    /// <param name="counter">As given to <see cref="KernelFilter.Configure"/>.</param>
    public KernelPathFilter(BpfObject bpfObject, PathDimension dimension, uint counter)
    {
        _object = bpfObject;
        _dimension = dimension;
        _counter = counter;
        _sets = new(bpfObject.Map("filter_" + dimension.Name));
    }

    /// <inheritdoc/>
    public (ulong Passed, ulong Dropped)? Counts() => KernelFilter.CountsOf(_object, _counter);

    /// <inheritdoc/>
    public void Replace(
        FilterDimension dimension, IReadOnlyDictionary<FilterKey, FilterBits> before, IReadOnlyDictionary<FilterKey, FilterBits> after)
    {
        var automaton = PathAutomaton.Of(after);
        if (!automaton.FitsKernel)
            throw new UsageException(
                $"{_dimension.Name}: the values have more than the {PathAutomaton.KernelStatesMax} bytes together that the kernel takes");
        Span<byte> set = MemoryMarshal.AsBytes(_set.AsSpan());
        set.Clear();
        automaton.WriteTo(set);
        // The other set may still be read by a program that began before the last change.
        if (_wasChanged)
            GracePeriod.Wait();
        ref uint current = ref _object.Global<uint>($"filter_{_dimension.Name}_set");
        uint next = current ^ 1;
        _sets.Set(next, _set[0]);
        Volatile.Write(ref current, next);
        Volatile.Write(ref _object.Global<uint>($"filter_{_dimension.Name}_mode"), after.Count > 0 ? 1u : 0);
        _wasChanged = true;
    }

    [InlineArray(PathAutomaton.KernelBytes)]
    private struct PathSet
    {
        private byte _first;
    }
}
