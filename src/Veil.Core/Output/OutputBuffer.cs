// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Output;

/// <summary>Whole lines on their way to the output: one memory for the life of the session, one <c>write</c> a batch.</summary>
public sealed class OutputBuffer
{
    /// <summary>Bytes after which a batch goes out. Beyond some 64 KiB a larger write is no cheaper a byte.</summary>
    public const int BatchBytes = 128 * 1024;

    private readonly byte[] _memory;
    private readonly IOutput _output;
    private readonly List<int> _notices = []; // where they begin
    private int _length;
    private ulong _pendingEvents;

    /// <summary>Makes the buffer.</summary>
    /// <param name="output">Where batches go.</param>
    /// <param name="lineBytesMax">The longest line that any sink may append.</param>
    public OutputBuffer(IOutput output, int lineBytesMax)
    {
        _output = output;
        LineBytesMax = lineBytesMax;
        _memory = GC.AllocateUninitializedArray<byte>(BatchBytes + lineBytesMax, pinned: true);
    }

    /// <summary>The longest line that may be appended.</summary>
    public int LineBytesMax { get; }

    /// <summary>Events that the output has taken.</summary>
    public ulong EventsWritten { get; private set; }

    /// <summary>How often it was emptied: what reads it can tell whether a batch has ended.</summary>
    public int Flushes { get; private set; }

    /// <summary>A writer for one line, with room for the longest. Ends with <see cref="EndEvent"/> or <see cref="EndNotice"/>.</summary>
    public LineWriter BeginLine()
    {
        if (_length >= BatchBytes)
            Flush();
        return new LineWriter(_memory.AsSpan(_length));
    }

    /// <summary>Takes the line of an event over.</summary>
    public void EndEvent(LineWriter line)
    {
        _length += line.Length;
        _pendingEvents++;
    }

    /// <summary>Takes a line over that is no event.</summary>
    public void EndNotice(LineWriter line)
    {
        _notices.Add(_length);
        _length += line.Length;
    }

    /// <summary>Hands everything to the output.</summary>
    public void Flush()
    {
        if (_length == 0)
            return;
        int length = _length;
        ulong events = _pendingEvents;
        // Emptied first: if the output throws, the bytes are gone either way and must not be written twice.
        _length = 0;
        _pendingEvents = 0;
        Flushes++;
        try
        {
            _output.Write(_memory.AsSpan(0, length));
            EventsWritten += events;
        }
        catch (OutputException failure) when (failure.KeptBytes > 0)
        {
            // An event is a line, and there is no other line than these and notices.
            EventsWritten += (ulong)(_memory.AsSpan(0, failure.KeptBytes).Count((byte)'\n') - _notices.Count(at => at < failure.KeptBytes));
            throw;
        }
        finally
        {
            _notices.Clear();
        }
    }
}
