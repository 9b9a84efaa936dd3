// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Export;
using Veil.Core.Text;

namespace Veil.Core.Formats;

/// <summary>Text that packets name by a number: <c>perfetto.protos.InternedData</c>. What is new waits for the next packet.</summary>
internal sealed class PerfettoNames
{
    /// <summary>Fields of <c>InternedData</c>: a list of messages that have the number as field 1 and the text as field 2.</summary>
    public const int Categories = 1, Events = 2, Arguments = 3, Strings = 29;

    private const int NumberField = 1;
    private const int TextField = 2;

    // Beyond that a text is mostly one that does not come again.
    private const int TextBytesMax = 256;
    private const int TextsMax = 32_768;

    private readonly Dictionary<int, Dictionary<byte[], ulong>> _lists = [];
    private readonly ProtoBuffer _new = new(4 * 1024);

    /// <summary>What is new since the last packet.</summary>
    public ReadOnlySpan<byte> New => _new.Written;

    /// <summary>A packet has it.</summary>
    public void Told() => _new.Truncate(0);

    /// <summary>The number of a text; 0 where it gets none.</summary>
    public ulong Of(int list, ReadOnlySpan<byte> text)
    {
        if (!_lists.TryGetValue(list, out var texts))
            _lists[list] = texts = new Dictionary<byte[], ulong>(BytesComparer.Instance);
        var lookup = texts.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (lookup.TryGetValue(text, out ulong number))
            return number;
        if (text.Length > TextBytesMax || texts.Count >= TextsMax)
            return 0;
        number = (ulong)texts.Count + 1;
        texts[text.ToArray()] = number;
        int entry = _new.BeginMessage(list);
        _new.Number(NumberField, number);
        _new.Bytes(TextField, text);
        _new.EndMessage(entry);
        return number;
    }
}
