// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Text;

namespace Veil.Core.Counting;

/// <summary>
/// What was counted of a module's events since the trace began, key by key. A number never goes down, whatever the intervals of a table
/// are: a
/// key that has a place keeps it, and the events of a key that found none stay with the others.
/// </summary>
internal sealed class CountSeries
{
    /// <summary>The name that a key of others has in each of its fields.</summary>
    public const string OtherName = "other";

    private const int RoomForCut = 8;

    // Kernel keys that are known by their bytes: those of several modules, and small ones in a map of their own.
    private const int KnownPerKey = 4;

    private readonly int _keysMax;
    private readonly Dictionary<byte[], CountSeriesRow> _known = new(ByteComparer.Instance);
    private readonly Dictionary<byte[], CountSeriesRow>.AlternateLookup<ReadOnlySpan<byte>> _knownBySpan;
    private readonly Dictionary<string, CountSeriesRow> _byName = new(StringComparer.Ordinal);
    private readonly List<CountSeriesRow> _rows = [];
    private readonly CountSeriesRow _others;
    private byte[] _room = [];
    private ulong _noFieldTaken;

    /// <summary>Begins with nothing.</summary>
    /// <param name="plan">What is counted.</param>
    /// <param name="keysMax">Keys that have a place.</param>
    public CountSeries(CountPlan plan, int keysMax)
    {
        Plan = plan;
        _keysMax = keysMax;
        byte[] other = Encoding.UTF8.GetBytes(OtherName);
        _others = new CountSeriesRow([.. plan.Keys.Select(_ => other)], plan.Slots);
        _knownBySpan = _known.GetAlternateLookup<ReadOnlySpan<byte>>();
        _byName.Add(NameOf(_others.Values), _others);
        _rows.Add(_others);
    }

    /// <summary>What is counted.</summary>
    public CountPlan Plan { get; }

    /// <summary>The module.</summary>
    public string Module => Plan.Schema.Module;

    /// <summary>The keys that have events, and that of the others, if there are several keys.</summary>
    public ReadOnlySpan<CountSeriesRow> Rows =>
        CollectionsMarshal.AsSpan(_rows)[(Plan.Keys.Count == 0 || _others.HasEvents ? 0 : 1)..];

    /// <summary>Events of a kind that lacks a field.</summary>
    public ulong NoField { get; private set; }

    /// <summary>All events.</summary>
    public ulong Total => _rows.Aggregate(NoField, static (sum, row) => sum + row.Count);

    /// <summary>Adds what was taken out of the kernel, and will not be there again.</summary>
    public void Take(CountPlan plan, CountedEvents counted)
    {
        foreach (var (key, totals) in counted.Keys)
            RowOf(plan, key).Taken.Add(totals);
        _others.Taken.Add(counted.Others);
        _noFieldTaken += counted.NoField;
    }

    /// <summary>Forgets what the kernel had when it was last looked at.</summary>
    public void BeginLook()
    {
        NoField = _noFieldTaken;
        foreach (var row in _rows)
            row.ClearSeen();
    }

    /// <summary>Adds what the kernel still has.</summary>
    public void Look(CountPlan plan, CountedEvents counted)
    {
        foreach (var (key, totals) in counted.Keys)
            RowOf(plan, key).See(totals);
        _others.See(counted.Others);
        NoField += counted.NoField;
    }

    /// <summary>Adds what the kernel still has of a key, where the key has been here before. Nothing is allocated: a look at many keys
    /// costs little more than the kernel's part.</summary>
    /// <returns>False where it is to come with what <see cref="Look"/> adds.</returns>
    public bool TryLook(CountPlan plan, ReadOnlySpan<byte> key, ReadOnlySpan<ulong> words)
    {
        if (plan != Plan || !_knownBySpan.TryGetValue(key, out var row))
            return false;
        row.See(words);
        return true;
    }

    private CountSeriesRow RowOf(CountPlan plan, byte[] key)
    {
        // Of several modules of a name, each has its own bytes for the same key.
        bool isOwn = plan == Plan;
        if (isOwn && _known.TryGetValue(key, out var known))
            return known;
        byte[][] values = [.. plan.Keys.Select(field => TextOf(plan, field, key))];
        string name = NameOf(values);
        if (!_byName.TryGetValue(name, out var row))
        {
            if (_rows.Count > _keysMax)
            {
                row = _others;
            }
            else
            {
                _byName.Add(name, row = new CountSeriesRow(values, plan.Slots));
                _rows.Add(row);
            }
        }

        if (_known.Count >= _keysMax * KnownPerKey)
            _known.Clear();
        if (isOwn)
            _known.Add(key, row);
        return row;
    }

    private byte[] TextOf(CountPlan plan, CountKey key, byte[] bytes)
    {
        var value = key.Field.Value;
        if (_room.Length < value.BytesMax + RoomForCut)
            _room = new byte[value.BytesMax + RoomForCut];
        var view = new EventView { Record = plan.RecordOf(key, bytes), Schema = plan.Schema };
        var line = new LineWriter(_room);
        value.WriteText(ref line, ref view);
        // A string without the quotes that it has among arguments.
        if (key.Kind == KeyKind.Argument && line.Written is [(byte)'"', ..])
        {
            line.Truncate(0);
            Escaping.AppendText(ref line, value.RawText(ref view));
        }

        if (CountPlan.IsCut(key, bytes))
            line.Append("…"u8);
        return line.Written.ToArray();
    }

    private static string NameOf(byte[][] values) => string.Join('\0', values.Select(Encoding.UTF8.GetString));

    private sealed class ByteComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly ByteComparer Instance = new();

        public bool Equals(byte[]? one, byte[]? other) => one.AsSpan().SequenceEqual(other);

        public bool Equals(ReadOnlySpan<byte> one, byte[] other) => one.SequenceEqual(other);

        public byte[] Create(ReadOnlySpan<byte> bytes) => bytes.ToArray();

        public int GetHashCode(byte[] bytes) => GetHashCode(bytes.AsSpan());

        public int GetHashCode(ReadOnlySpan<byte> bytes)
        {
            var hash = default(HashCode);
            hash.AddBytes(bytes);
            return hash.ToHashCode();
        }
    }
}

/// <summary>A key with what is known of its events since the trace began.</summary>
/// <param name="values">The text of each field, in their order.</param>
/// <param name="slots">Counts of a key.</param>
internal sealed class CountSeriesRow(byte[][] values, int slots)
{
    private CountTotals? _seen;
    private CountTotals? _sum;
    private bool _hasSeen;
    private bool _hasSum;

    /// <summary>The text of each field.</summary>
    public byte[][] Values => values;

    /// <summary>What those who read the series keep with a key.</summary>
    public object? Labels { get; set; }

    /// <summary>What was taken out of the kernel.</summary>
    public CountTotals Taken { get; } = new(new ulong[slots]);

    /// <summary>All.</summary>
    public CountTotals Totals
    {
        get
        {
            if (!_hasSeen)
                return Taken;
            if (Taken.Count == 0)
                return _seen!;
            _sum ??= new CountTotals(new ulong[slots]);
            if (!_hasSum)
            {
                _sum.Clear();
                _sum.Add(Taken);
                _sum.Add(_seen!);
                _hasSum = true;
            }

            return _sum;
        }
    }

    /// <summary>All events.</summary>
    public ulong Count => Taken.Count + (_hasSeen ? _seen!.Count : 0);

    /// <summary>Are there any?</summary>
    public bool HasEvents => Count > 0;

    /// <summary>Adds what the kernel still has.</summary>
    public void See(CountTotals totals) => BeginSeeing().Add(totals);

    /// <summary>Adds what the kernel still has.</summary>
    /// <param name="words">As it has them.</param>
    public void See(ReadOnlySpan<ulong> words) => BeginSeeing().Add(words);

    /// <summary>Forgets that. Its room stays for the next look.</summary>
    public void ClearSeen() => _hasSeen = _hasSum = false;

    private CountTotals BeginSeeing()
    {
        _hasSum = false;
        _seen ??= new CountTotals(new ulong[slots]);
        if (!_hasSeen)
            _seen.Clear();
        _hasSeen = true;
        return _seen;
    }
}
