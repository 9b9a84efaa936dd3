// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Veil.Bpf;
using Veil.Core.Events;
using Veil.Core.Executables;
using Veil.Core.Losses;

namespace Veil.Core.Sources;

/// <summary>The programs that tell what processes execute (<c>exe.bpf.c</c>): through the session's rings, before the events that it is
/// true of.</summary>
internal sealed class KernelExecutables : IDisposable
{
    /// <summary>What the kind of their records has in place of the number of an event struct (<c>VEIL_KIND_EXE</c>).</summary>
    public const uint Kind = 254;

    private const string Name = "exe";
    private readonly BpfObject _object;
    private readonly LossLedger _losses;
    private readonly List<BpfLink> _links = [];
    private readonly EventHeader _header;

    /// <summary>Attaches them, and looks at the processes that there are.</summary>
    /// <param name="objectBytes">The object.</param>
    /// <param name="rings">The session's rings.</param>
    /// <param name="header">The header of records.</param>
    /// <param name="budget">What memory there is.</param>
    /// <exception cref="BpfException">That is not possible; nothing stays attached.</exception>
    public KernelExecutables(byte[] objectBytes, EventRings rings, EventHeader header, MemoryBudget budget)
    {
        _header = header;
        _object = BpfObject.Open(objectBytes, Name);
        try
        {
            rings.Give(_object);
            _ = budget.Take(_object, loadBytes: 0);
            _object.Load();
            _losses = new LossLedger(_object);
            foreach (var program in _object.Programs.Where(static program => !program.IsIterator))
                _links.Add(program.Attach());
            Look(_object.Program("exe_look_iter"));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What the programs took.</summary>
    public IEnumerable<ProgramCost> Costs() => _object.Programs.Where(static program => !program.IsIterator).Select(static program =>
    {
        var info = program.Info();
        return new ProgramCost(Name, program.Name, info.RunCount, info.RunTimeNs);
    });

    /// <summary>CPU time of the programs so far.</summary>
    public ulong RunTimeNs => Costs().Aggregate(0ul, static (sum, program) => sum + program.TimeNs);

    /// <summary>Takes a record of theirs.</summary>
    /// <returns>Its bytes; 0 where it is damaged.</returns>
    public int Take(ReadOnlySpan<byte> record) => Take(record, isNew: true);

    /// <summary>Names what was lost since the last call.</summary>
    public void CollectLosses(ILossObserver observer) => _losses.Collect(Name, observer);

    /// <summary>Detaches them.</summary>
    public void Detach()
    {
        foreach (var link in _links)
            link.Dispose();
        _links.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Detach();
        _object.Dispose();
    }

    // The iterator writes records one behind the other.
    private void Look(BpfProgram iterator)
    {
        var rest = new List<byte>();
        iterator.Iterate(bytes =>
        {
            rest.AddRange(bytes);
            int taken = 0;
            while (Take(CollectionsMarshal.AsSpan(rest)[taken..], isNew: false) is > 0 and int size)
                taken += size;
            rest.RemoveRange(0, taken);
        });
    }

    // struct exe_event
    private int Take(ReadOnlySpan<byte> record, bool isNew)
    {
        int structBytes = _header.SizeBytes + (2 * sizeof(uint)) + EventPart.SizeBytes;
        if (record.Length < structBytes)
            return 0;
        var part = new EventPart(record[(structBytes - EventPart.SizeBytes)..]);
        int size = structBytes + part.Length;
        if (!part.IsWithin(structBytes, Math.Min(record.Length, size)))
            return 0;
        uint pid = BinaryPrimitives.ReadUInt32LittleEndian(record[_header.PidOffset..]);
        switch ((Type)BinaryPrimitives.ReadUInt32LittleEndian(record[_header.SizeBytes..]))
        {
            case Type.Has when isNew:
                ExecutableTable.Own.Executed(pid, part.IsAbsent ? [] : part.Of(record));
                break;
            case Type.Has:
                ExecutableTable.Own.Found(pid, part.IsAbsent ? [] : part.Of(record));
                break;
            case Type.Inherits:
                ExecutableTable.Own.Forked(pid, BinaryPrimitives.ReadUInt32LittleEndian(record[(_header.SizeBytes + sizeof(uint))..]));
                break;
            case Type.Ends:
                ExecutableTable.Own.Ended(pid);
                break;
        }

        return size;
    }

    // enum exe_type
    private enum Type
    {
        Has,
        Inherits,
        Ends,
    }
}
