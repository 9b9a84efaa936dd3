// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using Veil.Core.Events;
using Veil.Core.Losses;
using Veil.Core.Recordings;
using Veil.Core.Text;

namespace Veil.Core.Formats.Html;

/// <summary>
/// Makes the page. It holds the newest events and the slowest, up to a bound; where there are more, tables of all are in it too. Memory is
/// bounded.
/// </summary>
internal sealed class HtmlSink : IExportSink
{
    /// <summary>The newest events that the page holds.</summary>
    public const int NewestMax = 50_000;

    /// <summary>Of the others, the slowest that it holds.</summary>
    public const int SlowestMax = 1_000;

    private const int NewestBytesMax = 16 * 1024 * 1024;
    private const int TextBytesMax = 2_048;
    private const int ProcessesMax = 16_384;
    private const int CommBytes = 16;

    private readonly ExportInput _input;
    private readonly EventHeader _header;
    private readonly HtmlPlan[] _plans;
    private readonly HtmlNames _names = new();
    private readonly HtmlTotals _totals = new();
    private readonly Queue<HtmlRow> _newest = new();
    private readonly PriorityQueue<HtmlRow, long> _slowest = new();
    private readonly List<HtmlProcess> _processes = [];
    private readonly Dictionary<uint, int> _byPid = [];
    private readonly Dictionary<uint, uint> _parents = []; // of processes that have no event yet
    private readonly Dictionary<LossKey, ulong> _lost = [];
    private readonly byte[] _room;
    private RecordedSnapshot? _snapshot;
    private ulong _firstNs;
    private long _lastNs;
    private long _newestBytes;
    private ulong _taken;

    public HtmlSink(ExportInput input)
    {
        _input = input;
        _header = input.Events.Header;
        _plans = [.. input.Events.Schemas.Select(schema => new HtmlPlan(schema, input.Shown))];
        _room = new byte[_plans.Max(static plan => plan.BytesMax) + 256];
    }

    /// <inheritdoc/>
    public ulong Delivered { get; private set; }

    /// <inheritdoc/>
    public void Take(RecordedSnapshot snapshot) => _snapshot ??= snapshot;

    /// <inheritdoc/>
    public void Write(ref EventView view)
    {
        var record = view.Record;
        ulong timestamp = BinaryPrimitives.ReadUInt64LittleEndian(record[_header.TimestampOffset..]);
        if (_taken++ == 0)
            _firstNs = timestamp;
        // CPUs hand their events over with a little disorder.
        long time = (long)(timestamp - Math.Min(timestamp, _firstNs));
        _lastNs = Math.Max(_lastNs, time);
        var plan = _plans[view.Schema.Index];
        int process = ProcessOf(BinaryPrimitives.ReadUInt32LittleEndian(record[_header.PidOffset..]), time);
        uint tid = BinaryPrimitives.ReadUInt32LittleEndian(record[_header.TidOffset..]);

        var line = new LineWriter(_room);
        plan.WriteName(ref line, ref view);
        int name = _names.PlaceOf(line.Written);
        Follow(plan.Links, process, record, line.Written);
        line = new LineWriter(_room);
        plan.WriteError(ref line, ref view);
        int error = _names.PlaceOf(line.Written);
        line = new LineWriter(_room);
        plan.WritePath(ref line, ref view);
        int path = _names.PlaceOf(line.Written);
        line = new LineWriter(_room);
        plan.WritePeer(ref line, ref view);
        int peer = _names.PlaceOf(line.Written);
        line = new LineWriter(_room);
        plan.WriteText(ref line, ref view);
        byte[] text = line.Written[..Math.Min(line.Length, TextBytesMax)].ToArray();

        var row = new HtmlRow(time, plan.DurationNs(record), process, tid, _names.PlaceOf(plan.Module), name, error, path, peer, text);
        Note(_processes[process], row, plan, ref view);
        _totals.Add(row);
        Keep(row);
    }

    /// <inheritdoc/>
    public bool Lost(LossKey key, LossCount lost)
    {
        _lost[key] = _lost.GetValueOrDefault(key) + lost.Count;
        return true;
    }

    /// <inheritdoc/>
    public void Flush()
    {
    }

    /// <inheritdoc/>
    public void End()
    {
        bool isWhole = _slowest.Count == 0;
        List<HtmlRow> rows =
            [.. _slowest.UnorderedItems.Select(static item => item.Element).Concat(_newest).OrderBy(static row => row.TimeNs)];
        AddAncestors();
        var page =
            new HtmlPage(_input.Description)
            {
                FirstNs = _firstNs,
                LastNs = _lastNs,
                Events = _taken,
                Rows = rows,
                Processes = _processes,
                Names = _names.All,
                Totals = isWhole ? null : _totals,
                Lost = _lost,
            };
        page.Write(_input.Output);
        Delivered = _taken;
    }

    private void Keep(in HtmlRow row)
    {
        _newest.Enqueue(row);
        _newestBytes += row.Text.Length;
        while (_newest.Count > NewestMax || _newestBytes > NewestBytesMax)
        {
            var oldest = _newest.Dequeue();
            _newestBytes -= oldest.Text.Length;
            _slowest.Enqueue(oldest, oldest.DurationNs);
            if (_slowest.Count > SlowestMax)
                _slowest.Dequeue();
        }
    }

    private int ProcessOf(uint pid, long time)
    {
        if (_byPid.TryGetValue(pid, out int place))
            return place;
        // Of more processes than a page can show, the rest are one.
        if (_processes.Count >= ProcessesMax)
            return _processes.Count - 1;
        place = _processes.Count;
        _processes.Add(new HtmlProcess(pid) { FirstNs = time });
        _byPid[pid] = place;
        if (_parents.Remove(pid, out uint parent) && _byPid.TryGetValue(parent, out int above))
            _processes[place].Parent = above;
        return place;
    }

    private void Note(HtmlProcess process, in HtmlRow row, HtmlPlan plan, ref EventView view)
    {
        var record = view.Record;
        process.LastNs = row.TimeNs;
        process.Events++;
        if (row.Error != 0)
            process.Errors++;
        if (row.Tid == process.Pid || process.Name == 0)
        {
            var comm = record[..CommBytes];
            process.Name = _names.PlaceOf(comm.IndexOf((byte)0) is var end and >= 0 ? comm[..end] : comm);
        }

        var line = new LineWriter(_room);
        ReadOnlySpan<byte> name = Encoding.UTF8.GetBytes(_names.All[row.Name]);
        if (plan.Links.IsExec(record, name))
        {
            plan.WriteExecuted(ref line, ref view);
            process.Executed = line.Written[..Math.Min(line.Length, TextBytesMax / 4)].ToArray();
        }
        else if (plan.Links.IsExit(record, name))
        {
            plan.WriteEnd(ref line, ref view);
            process.Ended = line.Written.ToArray();
        }
    }

    private void Follow(ProcessLinks links, int process, ReadOnlySpan<byte> record, ReadOnlySpan<byte> name)
    {
        var one = _processes[process];
        if (one.Parent < 0 && links.TryGetParent(record, out uint above) && _byPid.TryGetValue(above, out int parent) && parent != process)
            one.Parent = parent;
        if (!links.TryGetChild(record, name, out uint pid) || pid == one.Pid)
            return;
        if (!_byPid.TryGetValue(pid, out int child))
            _parents[pid] = one.Pid;
        else if (_processes[child].Parent < 0 && child != process && _processes[child].FirstNs >= one.FirstNs)
            _processes[child].Parent = process;
    }

    // Who was there when the recording began: the way up from those that have events.
    private void AddAncestors()
    {
        if (_snapshot is not { } snapshot)
            return;
        for (int place = 0; place < _processes.Count; place++)
        {
            var process = _processes[place];
            if (process.Parent >= 0 || !snapshot.Processes.TryGetValue(process.Pid, out var known) || known.ParentPid == 0)
                continue;
            if (!_byPid.TryGetValue(known.ParentPid, out int parent) && snapshot.Processes.TryGetValue(known.ParentPid, out var above)
                && _processes.Count < ProcessesMax)
            {
                parent = _processes.Count;
                _byPid[known.ParentPid] = parent;
                int name = _names.PlaceOf(Encoding.UTF8.GetBytes(above.Name));
                _processes.Add(new HtmlProcess(known.ParentPid) { Name = name, FirstNs = -1 });
            }

            if (_byPid.TryGetValue(known.ParentPid, out parent) && parent != place && !IsAbove(place, parent))
                process.Parent = parent;
        }
    }

    private bool IsAbove(int place, int of)
    {
        for (int steps = 0; of >= 0 && steps <= _processes.Count; steps++)
        {
            if (of == place)
                return true;
            of = _processes[of].Parent;
        }

        return false;
    }
}
