// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Symbols;

namespace Veil.Core.Stacks;

/// <summary>
/// The stacks that the kernel has told of, by their ids. Bounded: those that nobody has asked for while so many others came are
/// forgotten, and the kernel, which remembers fewer, tells of them again. From any thread.
/// </summary>
public sealed class StackTable
{
    /// <summary>Marks records of stacks in the ring (<c>VEIL_KIND_STACK</c>).</summary>
    public const uint Kind = 253;

    /// <summary>Ids that the kernel remembers to have told of.</summary>
    public const int SentMax = 16 * 1024;

    private readonly Lock _lock = new();
    private readonly int _most;
    private Dictionary<ulong, TakenStack> _young = [];
    private Dictionary<ulong, TakenStack> _old = [];

    /// <summary>Makes an empty one.</summary>
    /// <param name="most">Stacks after which those that were not asked for meanwhile are forgotten.</param>
    public StackTable(int most = 4 * SentMax) => _most = most;

    /// <summary>The one of this process.</summary>
    public static StackTable Own { get; } = new();

    /// <summary>Names frames; none: they are shown by their addresses.</summary>
    public IStackNames? Names { get; set; }

    /// <summary>Stacks that are known now.</summary>
    public int Count => _young.Count + _old.Count;

    /// <summary>Takes a record of the ring, or the value of the map.</summary>
    /// <returns>False where it is damaged.</returns>
    public bool Take(ReadOnlySpan<byte> record)
    {
        if (TakenStack.Read(record) is not { } stack)
            return false;
        if (Find(stack.Id) is null)
            Add(stack);
        return true;
    }

    /// <summary>Takes a stack whose frames have been named.</summary>
    public void Add(TakenStack stack)
    {
        ArgumentNullException.ThrowIfNull(stack);
        lock (_lock)
            AddLocked(stack);
    }

    /// <summary>The stack of an id; none: there is none, or it is not known any more.</summary>
    public TakenStack? Find(ulong id)
    {
        if (id == 0)
            return null;
        lock (_lock)
        {
            if (_young.TryGetValue(id, out var stack))
                return stack;
            if (!_old.Remove(id, out stack))
                return null;
            AddLocked(stack);
            return stack;
        }
    }

    private void AddLocked(TakenStack stack)
    {
        if (_young.Count >= _most)
        {
            _old = _young;
            _young = [];
        }

        _young[stack.Id] = stack;
    }
}
