// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Veil.Core.Losses;

namespace Veil.Core.Recordings;

/// <summary>A note about a loss.</summary>
internal static class LossNote
{
    /// <summary>What the disk did not take: where a file says this, it is not whole.</summary>
    public static readonly LossKey NotRecorded = new(Recorder.Losing, LossCause.NotRecorded);

    private static readonly SearchValues<byte> s_ofWords = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_-"u8);

    /// <summary>Reads one, behind its type.</summary>
    /// <exception cref="RecordingException">It is none.</exception>
    public static (LossKey Key, LossCount Count) Read(ReadOnlySpan<byte> note)
    {
        const int wordBytes = sizeof(uint) + sizeof(ulong);
        if (note.Length < 2 * sizeof(ulong))
            throw new RecordingException("a block is damaged: a note is cut off");
        ulong count = BinaryPrimitives.ReadUInt64LittleEndian(note);
        long timestamp = BinaryPrimitives.ReadInt64LittleEndian(note[sizeof(ulong)..]);
        note = note[(2 * sizeof(ulong))..];
        string module = Word(RecordedNames.TakeSized(ref note)), cause = Word(RecordedNames.TakeSized(ref note));
        var users = new List<UserLoss>();
        for (; note.Length >= wordBytes; note = note[wordBytes..])
            users.Add(new(BinaryPrimitives.ReadUInt32LittleEndian(note), BinaryPrimitives.ReadUInt64LittleEndian(note[sizeof(uint)..])));
        return (new(module, cause), new LossCount(count, users) { TimestampNs = timestamp });
    }

    /// <summary>What is said of a file whose recorder could not write all.</summary>
    public static string Missing(string name, ulong events) =>
        $"{name} is not whole: {events} events that were to be in it could not be written, as with a full disk";

    // It stands in JSON as it is.
    internal static string Word(ReadOnlySpan<byte> name)
    {
        const int most = 64;
        return name.Length <= most && !name.ContainsAnyExcept(s_ofWords) ? Encoding.ASCII.GetString(name)
            : throw new RecordingException("a block is damaged: a loss has no name");
    }
}
