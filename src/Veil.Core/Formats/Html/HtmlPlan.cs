// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Calls;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Recordings;
using Veil.Core.Sinks;
using Veil.Core.Text;

namespace Veil.Core.Formats.Html;

/// <summary>What the page shows of the events of one kind.</summary>
internal sealed class HtmlPlan
{
    private readonly SlicePlan _slice;
    private readonly EventValue? _call;
    private readonly EventValue? _error;
    private readonly EventValue? _exitCode;
    private readonly EventValue? _exitSignal;
    private readonly EventValue? _path;
    private readonly EventValue? _address;
    private readonly EventValue? _port;
    private readonly EventValue? _argv;

    public HtmlPlan(EventSchema schema, in OutputOptions shown)
    {
        _slice = new SlicePlan(schema, shown);
        _call = schema.Fields.FirstOrDefault(static field => field.Value.Is<CallKind>()).Value;
        _error = schema.Fields.FirstOrDefault(static field => field.Value.Is<ErrnoKind>()).Value;
        _exitCode = Find(schema, "exit_code");
        _exitSignal = Find(schema, "exit_signal");
        _path = _call is null ? schema.Fields.FirstOrDefault(static field => field.Value.Is<PathKind>()).Value : null;
        _address = Find(schema, "daddr");
        _port = Find(schema, "dport");
        _argv = Find(schema, "argv");
        Links = new ProcessLinks(schema);
    }

    /// <summary>What it tells of processes.</summary>
    public ProcessLinks Links { get; }

    /// <summary>The module.</summary>
    public byte[] Module => _slice.Module;

    /// <summary>How long its thread was in it; negative where that is not known, or it is the life of a process or connection.</summary>
    public long DurationNs(ReadOnlySpan<byte> record) =>
        _slice.IsOfThread && _slice.DurationOf(record) is { } duration and <= long.MaxValue ? (long)duration : -1;

    /// <summary>Writes the call or operation.</summary>
    public void WriteName(ref LineWriter line, ref EventView view)
    {
        if (_slice.Name is { } name)
            name.WritePair(ref line, ref view);
        else
            line.Append(_slice.Module);
    }

    /// <summary>Writes what it failed with; nothing where it did not.</summary>
    public void WriteError(ref LineWriter line, ref EventView view)
    {
        if (_error is not null && TryWrite(ref line, _error, ref view))
            return;
        if (_exitSignal is not null && TryWrite(ref line, _exitSignal, ref view))
            return;
        int start = line.Length;
        line.Append("exit "u8);
        if (_exitCode is null || !TryWrite(ref line, _exitCode, ref view))
            line.Truncate(start);
    }

    /// <summary>Writes the file that it is about.</summary>
    public void WritePath(ref LineWriter line, ref EventView view)
    {
        if (_call is not null)
        {
            var call = new CallView(view.Record, _call.Offset);
            if (!(call.HasSucceeded && TryWriteDescriptor(ref line, call, CallView.ReturnArg))
                && !TryWrite(ref line, CallFacts.TryGetPath(call, 0, out var path) ? path : default))
                TryWriteDescriptor(ref line, call, 0);
        }
        else if (_path is not null && _path.PartOf(view.Record) is { IsAbsent: false } part)
        {
            line.Append(part.Of(view.Record));
        }
    }

    /// <summary>Writes the other end.</summary>
    public void WritePeer(ref LineWriter line, ref EventView view)
    {
        if (_address is null || !TryWrite(ref line, _address, ref view) || _port is null)
            return;
        line.Append((byte)':');
        _port.WritePair(ref line, ref view);
    }

    /// <summary>Writes all that there is to say.</summary>
    public void WriteText(ref LineWriter line, ref EventView view)
    {
        if (_call is not null)
        {
            CallText.Write(ref line, new CallView(view.Record, _call.Offset), CallOptions.Current);
            return;
        }

        WriteName(ref line, ref view);
        foreach (ref readonly var argument in _slice.Arguments.AsSpan())
        {
            int before = line.Length;
            line.Append((byte)' ');
            line.Append(argument.Key);
            line.Append((byte)'=');
            int start = line.Length;
            argument.Value.WritePair(ref line, ref view);
            // What an event has not got only takes room.
            if (line.Written[start..].SequenceEqual("?"u8) || line.Written[start..].SequenceEqual("false"u8))
                line.Truncate(before);
        }

        if (!_slice.IsOfThread && _slice.DurationOf(view.Record) is { } life)
        {
            line.Append(" lasted="u8);
            DurationText.Append(ref line, life);
        }
    }

    /// <summary>Writes the command line of what is executed; of a call all of it.</summary>
    public void WriteExecuted(ref LineWriter line, ref EventView view)
    {
        if (_argv is not null)
            _argv.WriteText(ref line, ref view);
        else
            WriteText(ref line, ref view);
    }

    /// <summary>Writes how a process ended.</summary>
    public void WriteEnd(ref LineWriter line, ref EventView view)
    {
        WriteError(ref line, ref view);
        if (line.Length > 0)
            return;
        line.Append("exit "u8);
        line.Append(_call is null ? 0 : (ulong)(byte)new CallView(view.Record, _call.Offset).Int(0));
    }

    /// <summary>An upper bound of what one of them takes.</summary>
    public int BytesMax => Math.Max(
        _slice.Arguments.Sum(static argument => argument.BytesMax + argument.Key.Length + 2) + _slice.BytesMax, CallKind.LineBytesMax);

    private static bool TryWriteDescriptor(ref LineWriter line, scoped in CallView call, int argument) =>
        CallDescriptor.TryFind(call, argument, 0, out var chunk) && chunk.Bytes is [(byte)'/', ..] && TryWrite(ref line, chunk.Bytes);

    private static bool TryWrite(ref LineWriter line, scoped ReadOnlySpan<byte> path)
    {
        line.Append(path[..Math.Min(path.Length, EventPart.LengthMax)]);
        return !path.IsEmpty;
    }

    private static bool TryWrite(ref LineWriter line, EventValue value, ref EventView view)
    {
        int start = line.Length;
        value.WritePair(ref line, ref view);
        var written = line.Written[start..];
        if (!written.SequenceEqual("?"u8) && !written.SequenceEqual("0"u8) && !written.IsEmpty)
            return true;
        line.Truncate(start);
        return false;
    }

    private static EventValue? Find(EventSchema schema, string name) => schema.Fields.FirstOrDefault(field => field.Name == name).Value;
}
