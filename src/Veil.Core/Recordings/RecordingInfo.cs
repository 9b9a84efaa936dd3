// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Veil.Core.Events;
using Veil.Core.Kernel;
using Veil.Core.Text;

namespace Veil.Core.Recordings;

/// <summary>What a recording is of, counted over all its blocks.</summary>
internal sealed class RecordingInfo
{
    private const int ProcessesShown = 10;
    private const int ProcessesMax = 65_536;

    private readonly string _path;
    private readonly RecordingDescription _description;
    private readonly Dictionary<uint, ulong> _kinds = [];
    private readonly Dictionary<(uint Pid, UInt128 Comm), ulong> _processes = [];
    private ulong _events;
    private ulong _lost;
    private long _bytes;
    private ulong _firstNs = ulong.MaxValue;
    private ulong _lastNs;
    private ulong _others;

    private RecordingInfo(string path, RecordingDescription description) => (_path, _description) = (path, description);

    /// <summary>What could not be read; null: nothing.</summary>
    public string? Missing { get; private set; }

    /// <summary>Reads a recording to its end.</summary>
    public static RecordingInfo Read(RecordingReader reader, string path)
    {
        var info = new RecordingInfo(path, reader.Description);
        var catalog = new EventCatalog();
        foreach (var facts in reader.Description.Events)
            catalog.Add(facts.Layout, reader.Description.Origin, new Owner(reader.Description.Modules[facts.Module]), facts.Kind);
        var decoder = new BlockDecoder(catalog);
        try
        {
            while (reader.TryRead(out var header))
            {
                if (header.Type != BlockType.Events)
                    continue;
                decoder.Begin(reader.Block, header.RawBytes, header.Events);
                info._events += header.Events;
                info._lost += header.Lost;
                info._firstNs = Math.Min(info._firstNs, header.Events > 0 ? header.FirstNs : ulong.MaxValue);
                info._lastNs = Math.Max(info._lastNs, header.LastNs);
                while (decoder.TryNext(out var item, out bool isNote))
                {
                    if (!isNote)
                        info.Count(item, catalog.Header);
                }
            }

            info.Missing = reader.Missing;
            info._bytes = reader.Position;
        }
        catch (RecordingException cause)
        {
            info.Missing = cause.Message;
        }

        return info;
    }

    /// <summary>As people read it.</summary>
    public string Text()
    {
        var text = new StringBuilder();
        var (bootNs, realNs) = _description.Started;
        long shift = realNs - bootNs;
        Line(text, "recording", $"{Escaping.ForMessage(_path)}, {_bytes} bytes"
            + (_events > 0 ? $", {_bytes / (double)_events:F1} an event" : ""));
        Line(text, "of", string.Join(' ', _description.Command.Select(Escaping.ForMessage)));
        Line(text, "by", Escaping.ForMessage(_description.Veil));
        Line(text, "on", $"{Escaping.ForMessage(_description.Host)}, Linux {Escaping.ForMessage(_description.Kernel)}, " +
            SyscallTable.For(_description.Machine).ArchName);
        Line(text, "started", ReplayRange.TimeText(realNs));
        if (_events > 0)
        {
            Line(text, "first", ReplayRange.TimeText((long)_firstNs + shift));
            Line(text, "last", $"{ReplayRange.TimeText((long)_lastNs + shift)} ({(_lastNs - _firstNs) / 1e9:F3} s)");
        }

        Line(text, "events", $"{_events}, {_lost} lost");
        foreach (var (number, module) in _description.Modules.Index())
        {
            Line(text, "module", $"{Escaping.ForMessage(module.Name)} by {Escaping.ForMessage(module.Hook)}"
                + string.Concat(module.Filters.Select(static filter => $" --{Escaping.ForMessage(filter.Name)} {Escaping.ForMessage(filter.Values)}")));
            foreach (var facts in _description.Events.Where(facts => facts.Module == number))
                text.Append(CultureInfo.InvariantCulture, $"{_kinds.GetValueOrDefault(facts.Kind),14}  {Escaping.ForMessage(facts.Layout.Name)}\n");
        }

        if (_processes.Count > 0)
            text.Append("processes\n");
        foreach (var ((pid, comm), count) in _processes.OrderByDescending(static process => process.Value).ThenBy(static process => process.Key.Pid)
            .Take(ProcessesShown))
            text.Append(CultureInfo.InvariantCulture, $"{count,14}  {NameOf(comm)} ({pid})\n");
        if (_processes.Count > ProcessesShown || _others > 0)
            text.Append(CultureInfo.InvariantCulture, $"{"",14}  and {_processes.Count - ProcessesShown}{(_others > 0 ? " or more" : "")} others\n");
        return text.ToString();
    }

    private static void Line(StringBuilder text, string name, string value) => text.Append($"{name,-10}  {value}\n");

    private static string NameOf(UInt128 comm)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128LittleEndian(bytes, comm);
        return Escaping.ForMessage(Encoding.UTF8.GetString(bytes[..(bytes.IndexOf((byte)0) is var end and >= 0 ? end : bytes.Length)]));
    }

    // The name comes first in every event.
    private void Count(ReadOnlySpan<byte> record, EventHeader header)
    {
        CollectionsMarshal.GetValueRefOrAddDefault(_kinds, BinaryPrimitives.ReadUInt32LittleEndian(record[header.KindOffset..]), out _)++;
        var key = (BinaryPrimitives.ReadUInt32LittleEndian(record[header.PidOffset..]), BinaryPrimitives.ReadUInt128LittleEndian(record));
        if (_processes.Count < ProcessesMax || _processes.ContainsKey(key))
            CollectionsMarshal.GetValueRefOrAddDefault(_processes, key, out _)++;
        else
            _others++;
    }

    private sealed class Owner(RecordingDescription.ModuleFacts facts) : IEventOwner
    {
        public string Name => facts.Name;

        public IReadOnlyList<(string Alias, string Field)> FieldAliases => facts.Aliases;

        public IReadOnlyList<(string Name, string Value)> Constants => facts.Constants;

        public IReadOnlyDictionary<string, ColumnHint> Columns => System.Collections.Frozen.FrozenDictionary<string, ColumnHint>.Empty;
    }
}
