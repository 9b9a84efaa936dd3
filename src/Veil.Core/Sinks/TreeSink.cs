// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Kernel;
using Veil.Core.Losses;
using Veil.Core.Output;
using Veil.Core.Text;

namespace Veil.Core.Sinks;

/// <summary>The end of the pipeline as a tree of processes, which is written when the trace is over.</summary>
internal sealed class TreeSink : IEventSink
{
    private const int NodesMax = 65_536;
    private const int TextBytesMax = 1_024;
    private const int DepthMax = 128; // then a tree goes on at that depth
    private const int ListMax = 64; // of what one process executes, or cannot
    private const int LineBytesMax = 256 + (DepthMax * 8) + (ListMax * (TextBytesMax + 16) * Escaping.MaxGrowth);

    private readonly Plan[] _plans;
    private readonly OutputBuffer _buffer;
    private readonly bool _colour;
    private readonly List<ProcessNode> _roots = [];
    private readonly List<ProcessNode> _all = [];
    private readonly Dictionary<uint, ProcessNode> _byPid = [];
    private ulong _taken;
    private ulong _cut;
    private readonly HashSet<uint> _cutNow = []; // those of them that live
    private ulong _first;

    /// <summary>Finds the values.</summary>
    public TreeSink(EventCatalog catalog, in OutputOptions options, IOutput output)
    {
        _plans = [.. catalog.Schemas.Select(static schema => new Plan(schema))];
        _buffer = new OutputBuffer(output, LineBytesMax);
        _colour = options.Colour;
    }

    /// <inheritdoc/>
    public ulong Delivered { get; private set; }

    /// <inheritdoc/>
    public void Write(ref EventView view)
    {
        var plan = _plans[view.Schema.Index];
        var record = view.Record;
        ulong now = plan.Timestamp.Unsigned(record);
        uint pid = (uint)plan.Pid.Unsigned(record);
        _taken++;
        if (plan.Thread.Unsigned(record) == 1)
            return;
        if (NodeOf(plan, pid, record, now) is not { } node)
        {
            if ((Type)plan.Type.Unsigned(record) == Type.Exit)
                _cutNow.Remove(pid);
            return;
        }

        switch ((Type)plan.Type.Unsigned(record))
        {
            case Type.Exec:
                Execute(node, plan, record);
                break;
            case Type.Exit:
                node.HasEnded = true;
                node.ExitCode = (uint)plan.ExitCode.Unsigned(record);
                node.Signal = (uint)plan.ExitSignal.Unsigned(record);
                node.CoreDumped = plan.CoreDumped.Unsigned(record) == 1;
                node.Duration = plan.Duration.Unsigned(record);
                if (node.Duration < now)
                    node.Start = now - node.Duration;
                node.Cpu = plan.Cpu.Unsigned(record);
                if (node.Executed.Count == 0 && plan.Argv.PartOf(record) is { IsAbsent: false } had && node.Name.Length == 0)
                    node.Executed.Add(Text(had, record));
                _byPid.Remove(pid); // the id may be used again
                break;
            case Type.Fork:
                uint child = (uint)plan.ChildPid.Unsigned(record);
                if (Add(node.Children, child, pid, now) is { } made)
                    made.Name = CommOf(plan, record);
                break;
            case Type.Oom:
                node.IsOomVictim = true;
                break;
        }
    }

    /// <inheritdoc/>
    public bool Lost(LossKey key, LossCount lost) => false;

    /// <inheritdoc/>
    public void Flush()
    {
    }

    /// <inheritdoc/>
    public void End()
    {
        _first = _all.Count > 0 ? _all.Min(static node => node.Start) : 0;
        foreach (var root in Joined())
            WriteTree(root);
        if (_cut > 0)
        {
            var line = _buffer.BeginLine();
            line.Append("... cut: "u8);
            line.Append(_cut);
            line.Append(" more processes; a tree has room for "u8);
            line.Append((ulong)NodesMax);
            line.Append((byte)'\n');
            _buffer.EndNotice(line);
        }

        _buffer.Flush();
        Delivered = _taken;
    }

    // With --failed a parent is first seen at its end, after its children.
    private List<ProcessNode> Joined()
    {
        var last = _all.GroupBy(static node => node.Pid).ToDictionary(static of => of.Key, static of => of.ToList());
        var left = new List<ProcessNode>();
        foreach (var root in _roots.OrderBy(static root => root.Start))
        {
            if (last.GetValueOrDefault(root.Parent)?.Find(above => above.Start < root.Start && above.LivesAt(root.Start)) is { } parent)
                parent.Children.Add(root);
            else
                left.Add(root);
        }

        return left;
    }

    private ProcessNode? NodeOf(Plan plan, uint pid, ReadOnlySpan<byte> record, ulong now)
    {
        if (_byPid.TryGetValue(pid, out var node))
            return node;
        uint parent = (uint)plan.ParentPid.Unsigned(record);
        node = Add(_byPid.TryGetValue(parent, out var above) ? above.Children : _roots, pid, parent, now);
        if (node is not null && plan.Type.Unsigned(record) != (uint)Type.Exit)
            node.Name = CommOf(plan, record);
        return node;
    }

    private ProcessNode? Add(List<ProcessNode> siblings, uint pid, uint parent, ulong now)
    {
        if (_all.Count == NodesMax)
        {
            _cut += _cutNow.Add(pid) ? 1ul : 0;
            return null;
        }

        var node = new ProcessNode(pid, parent, now);
        siblings.Add(node);
        _byPid[pid] = node;
        _all.Add(node);
        return node;
    }

    private static void Execute(ProcessNode node, Plan plan, ReadOnlySpan<byte> record)
    {
        int errno = ErrnoKind.Of(plan.Ret.Signed(record));
        byte[] text = TextOf(plan, record, errno != 0), argv = Text(plan.Argv.PartOf(record), record);
        // A shell looks for it in each folder of PATH: the last try stands for all.
        int tries = 1 + node.Refused.Where(refused => refused.Argv.AsSpan().SequenceEqual(argv)).Sum(static refused => refused.Tries);
        node.Refused.RemoveAll(refused => refused.Argv.AsSpan().SequenceEqual(argv));
        if (errno == 0 && node.Executed.Count < ListMax)
            node.Executed.Add(text);
        else if (errno != 0 && node.Refused.Count < ListMax)
            node.Refused.Add(new(text, argv, errno, tries));
    }

    // Arguments begin with a name that the caller is free to choose: where it is not the file's, both are said.
    private static byte[] TextOf(Plan plan, ReadOnlySpan<byte> record, bool isRefused)
    {
        var file = plan.Filename.PartOf(record);
        var name = file.IsAbsent ? [] : file.Of(record);
        if (plan.Argv.PartOf(record) is not { IsAbsent: false, Length: > 0 } argv)
            return Text(file, record);
        var arguments = argv.Of(record);
        int end = arguments.IndexOf((byte)0);
        var first = end < 0 ? arguments : arguments[..end];
        bool isOther = !name[(name.LastIndexOf((byte)'/') + 1)..].SequenceEqual(first);
        if (name.IsEmpty || name.SequenceEqual(first) || (!isRefused && !first.IsEmpty && !isOther))
            return Text(argv, record);
        byte[] rest = end < 0 || end + 1 == arguments.Length ? [] : [(byte)' ', .. Text(argv, record, end + 1)];
        byte[] alias = isOther ? [.. " (as "u8, .. ArgvKind.Joined((byte[])[.. first, 0]), .. ")"u8] : [];
        byte[] all = [.. Text(file, record), .. rest, .. alias];
        return all.Length <= TextBytesMax ? all : [.. all[..TextBytesMax], .. "..."u8];
    }

    private static byte[] Text(EventPart part, ReadOnlySpan<byte> record, int from = 0)
    {
        var text = part.IsAbsent ? [] : ArgvKind.Joined(part.Of(record)[from..]);
        if (text.Length <= TextBytesMax)
            return part.IsTruncated ? [.. text, .. "..."u8] : text.ToArray();
        return [.. text[..TextBytesMax], .. "..."u8];
    }

    private static byte[] CommOf(Plan plan, ReadOnlySpan<byte> record)
    {
        var comm = plan.Comm.Of(record);
        int end = comm.IndexOf((byte)0);
        return (end < 0 ? comm : comm[..end]).ToArray();
    }

    // Without recursion: a tree can be as deep as there are processes.
    private void WriteTree(ProcessNode root)
    {
        var open = new Stack<(ProcessNode Node, int Next)>();
        WriteNode(root, open);
        open.Push((root, 0));
        while (open.TryPop(out var top))
        {
            if (top.Next == top.Node.Children.Count)
                continue;
            var child = top.Node.Children[top.Next];
            open.Push((top.Node, top.Next + 1));
            WriteNode(child, open);
            open.Push((child, 0));
        }
    }

    private void WriteNode(ProcessNode node, Stack<(ProcessNode Node, int Next)> above)
    {
        var line = _buffer.BeginLine();
        AppendBranches(ref line, above, isChild: above.Count > 0);
        bool failed = node.HasEnded && (node.Signal != 0 || node.ExitCode != 0);
        if (failed && _colour)
            line.Append("\e[31m"u8);
        line.Append((ulong)node.Pid);
        line.Append((byte)' ');
        if (node.Executed.Count == 0)
        {
            line.Append((byte)'(');
            Escaping.AppendText(ref line, node.Name);
            line.Append((byte)')');
        }

        for (int at = 0; at < node.Executed.Count; at++)
        {
            if (at > 0)
                line.Append(" => "u8);
            Escaping.AppendText(ref line, node.Executed[at]);
        }

        AppendEnd(ref line, node, failed);
        if (failed && _colour)
            line.Append("\e[0m"u8);
        line.Append((byte)'\n');
        _buffer.EndNotice(line);
        foreach (var refused in node.Refused)
            WriteRefused(refused, above);
    }

    private void WriteRefused(RefusedProgram refused, Stack<(ProcessNode Node, int Next)> above)
    {
        var line = _buffer.BeginLine();
        AppendBranches(ref line, above, isChild: false);
        line.Append("    "u8);
        if (_colour)
            line.Append("\e[31m"u8);
        line.Append("cannot execute "u8);
        Escaping.AppendText(ref line, refused.Text);
        line.Append("  [FAILED: "u8);
        line.Append(Bpf.Errno.NameUtf8(refused.Errno));
        if (refused.Tries > 1)
        {
            line.Append(", the last of "u8);
            line.Append((ulong)refused.Tries);
            line.Append(" tries"u8);
        }

        line.Append((byte)']');
        if (_colour)
            line.Append("\e[0m"u8);
        line.Append((byte)'\n');
        _buffer.EndNotice(line);
    }

    private static void AppendBranches(ref LineWriter line, Stack<(ProcessNode Node, int Next)> above, bool isChild)
    {
        int depth = above.Count, at = 0;
        foreach (var (node, next) in above.Reverse())
        {
            bool isLast = next == node.Children.Count;
            if (++at > DepthMax)
                break;
            if (at == depth && isChild)
                line.Append(isLast ? "`-- "u8 : "|-- "u8);
            else
                line.Append(isLast ? "    "u8 : "|   "u8);
        }
    }

    private void AppendEnd(ref LineWriter line, ProcessNode node, bool failed)
    {
        line.Append(failed ? "  [FAILED: "u8 : "  ["u8);
        if (!node.HasEnded)
            line.Append("no end seen"u8);
        else if (node.Signal != 0)
        {
            if (FlagSets.Signals.NameOf(node.Signal) is { IsEmpty: false } name)
                line.Append(name);
            else
                line.Append((ulong)node.Signal);
            if (node.CoreDumped)
                line.Append(", core dumped"u8);
        }
        else
        {
            line.Append("exit "u8);
            line.Append((ulong)node.ExitCode);
        }

        if (node.IsOomVictim)
            line.Append(", killed for memory"u8);
        line.Append(", at "u8);
        DurationText.Append(ref line, node.Start - _first);
        if (node.HasEnded)
        {
            line.Append(" for "u8);
            DurationText.Append(ref line, node.Duration);
            line.Append(", cpu "u8);
            DurationText.Append(ref line, node.Cpu);
        }

        line.Append((byte)']');
    }

    // The order is that of enum process_type.
    private enum Type
    {
        Exec,
        Exit,
        Fork,
        Oom,
    }

    // Where the records have what.
    private sealed class Plan(EventSchema schema)
    {
        public EventValue Type { get; } = Find(schema, "evt_type");

        public EventValue Comm { get; } = Find(schema, "comm");

        public EventValue Pid { get; } = Find(schema, "pid");

        public EventValue Timestamp { get; } = Find(schema, "timestamp");

        public EventValue ParentPid { get; } = Find(schema, "ppid");

        public EventValue Thread { get; } = Find(schema, "thread");

        public EventValue ChildPid { get; } = Find(schema, "child_pid");

        public EventValue ExitCode { get; } = Find(schema, "exit_code");

        public EventValue ExitSignal { get; } = Find(schema, "exit_signal");

        public EventValue CoreDumped { get; } = Find(schema, "core_dumped");

        public EventValue Ret { get; } = Find(schema, "ret");

        public EventValue Duration { get; } = Find(schema, "duration_ns");

        public EventValue Cpu { get; } = Find(schema, "cpu_ns");

        public EventValue Argv { get; } = Find(schema, "argv");

        public EventValue Filename { get; } = Find(schema, "filename");

        private static EventValue Find(EventSchema schema, string name) => schema.Fields.First(field => field.Name == name).Value;
    }
}
