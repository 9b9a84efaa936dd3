// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
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
        ulong notRecorded = 0;
        try
        {
            while (reader.TryRead(out var header))
            {
                if (header.Type == BlockType.End)
                {
                    ulong untold = DescriptionJson.ReadEnd(reader.Block.AsSpan(0, header.RawBytes)).Lost;
                    info._lost += untold;
                    notRecorded += untold;
                }

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
                    else if ((NoteType)item[0] == NoteType.Lost && LossNote.Read(item[1..]) is var loss && loss.Key == LossNote.NotRecorded)
                        notRecorded += loss.Count.Count;
                }
            }

            info.Missing = reader.Missing ?? (notRecorded > 0 ? LossNote.Missing(reader.Name, notRecorded) : null);
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

    /// <summary>As one object of JSON, on a line of its own.</summary>
    public string Json()
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            var (bootNs, realNs) = _description.Started;
            string? Time(ulong ns) => _events > 0 ? ReplayRange.TimeText((long)ns - bootNs + realNs) : null;
            json.WriteStartObject();
            json.WriteString("file", _path);
            json.WriteNumber("bytes", _bytes);
            json.WriteBoolean("whole", Missing is null);
            json.WriteString("missing", Missing);
            json.WriteStartArray("command");
            foreach (string word in _description.Command)
                json.WriteStringValue(word);
            json.WriteEndArray();
            json.WriteString("veil", _description.Veil);
            json.WriteString("host", _description.Host);
            json.WriteString("kernel", _description.Kernel);
            json.WriteString("machine", SyscallTable.For(_description.Machine).ArchName);
            json.WriteString("started", ReplayRange.TimeText(realNs));
            json.WriteString("first", Time(_firstNs));
            json.WriteString("last", Time(_lastNs));
            json.WriteNumber("events", _events);
            json.WriteNumber("lost", _lost);
            WriteModules(json);
            json.WriteStartArray("processes");
            foreach (var ((pid, comm), count) in _processes.OrderByDescending(static process => process.Value).ThenBy(static process => process.Key.Pid))
            {
                json.WriteStartObject();
                json.WriteNumber("pid", pid);
                json.WriteString("comm", NameOf(comm));
                json.WriteNumber("events", count);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteNumber("other_processes_events", _others);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan) + "\n";
    }

    private void WriteModules(Utf8JsonWriter json)
    {
        json.WriteStartArray("modules");
        foreach (var (number, module) in _description.Modules.Index())
        {
            json.WriteStartObject();
            json.WriteString("name", module.Name);
            json.WriteString("hook", module.Hook);
            json.WriteStartObject("filters");
            foreach (var (name, values) in module.Filters)
                json.WriteString(name, values);
            json.WriteEndObject();
            json.WriteStartObject("events");
            foreach (var facts in _description.Events.Where(facts => facts.Module == number))
                json.WriteNumber(facts.Layout.Name, _kinds.GetValueOrDefault(facts.Kind));
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
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
