// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Veil.Core.Budgets;

namespace Veil.Core.Recordings;

/// <summary>
/// What a trace with a budget told, as recordings have it. A step (1): when, rate before and after (32 bits each), cost and budget in
/// millionths of a CPU (64 bits each). A count (2): when, rate (32 bits), events seen, events sent, nanoseconds (64 bits each), and the
/// module.
/// </summary>
internal static class BudgetNote
{
    private const byte Step = 1, Sampled = 2;
    private const double Millionths = 1e6;
    private const int StepBytes = 1 + sizeof(long) + (2 * sizeof(uint)) + (2 * sizeof(ulong));
    private const int SampledBytes = 1 + sizeof(long) + sizeof(uint) + (3 * sizeof(ulong));

    /// <summary>Writes one.</summary>
    public static byte[] Of(BudgetNotice notice)
    {
        byte[] module = notice is SampledEvents of ? Encoding.ASCII.GetBytes(of.Module) : [];
        byte[] note = new byte[notice is BudgetStep ? StepBytes : SampledBytes + module.Length];
        BinaryPrimitives.WriteInt64LittleEndian(note.AsSpan(1), notice.TimestampNs);
        switch (notice)
        {
            case BudgetStep step:
                note[0] = Step;
                BinaryPrimitives.WriteUInt32LittleEndian(note.AsSpan(9), step.From.OneIn);
                BinaryPrimitives.WriteUInt32LittleEndian(note.AsSpan(13), step.To.OneIn);
                BinaryPrimitives.WriteInt64LittleEndian(note.AsSpan(17), (long)(step.Cost * Millionths));
                BinaryPrimitives.WriteInt64LittleEndian(note.AsSpan(25), (long)(step.Budget * Millionths));
                break;
            case SampledEvents sampled:
                note[0] = Sampled;
                BinaryPrimitives.WriteUInt32LittleEndian(note.AsSpan(9), sampled.Rate.OneIn);
                BinaryPrimitives.WriteUInt64LittleEndian(note.AsSpan(13), sampled.Seen);
                BinaryPrimitives.WriteUInt64LittleEndian(note.AsSpan(21), sampled.Sent);
                BinaryPrimitives.WriteInt64LittleEndian(note.AsSpan(29), (long)sampled.Over.TotalNanoseconds);
                module.CopyTo(note, SampledBytes);
                break;
        }

        return note;
    }

    /// <summary>Reads one; nothing where it is of a kind that is not known here.</summary>
    /// <param name="note">It.</param>
    /// <param name="word">Reads a name that stands in JSON as it is.</param>
    /// <exception cref="RecordingException">It is cut off, or says what cannot be.</exception>
    public static BudgetNotice? Read(ReadOnlySpan<byte> note, Func<ReadOnlySpan<byte>, string> word)
    {
        if (note.IsEmpty)
            throw new RecordingException("a block is damaged: a note is cut off");
        if (note[0] is not (Step or Sampled))
            return null;
        if (note.Length < (note[0] == Step ? StepBytes : SampledBytes))
            throw new RecordingException("a block is damaged: a note is cut off");
        long timestamp = BinaryPrimitives.ReadInt64LittleEndian(note[1..]);
        var rate = Rate(note[9..]);
        if (note[0] == Step)
            return new BudgetStep(
                rate, Rate(note[13..]), BinaryPrimitives.ReadInt64LittleEndian(note[17..]) / Millionths,
                BinaryPrimitives.ReadInt64LittleEndian(note[25..]) / Millionths, timestamp);
        return new SampledEvents(
            word(note[SampledBytes..]), rate, BinaryPrimitives.ReadUInt64LittleEndian(note[13..]),
            BinaryPrimitives.ReadUInt64LittleEndian(note[21..]),
            TimeSpan.FromTicks(BinaryPrimitives.ReadInt64LittleEndian(note[29..]) / TimeSpan.NanosecondsPerTick), timestamp);
    }

    private static SampleRate Rate(ReadOnlySpan<byte> note)
    {
        uint oneIn = BinaryPrimitives.ReadUInt32LittleEndian(note);
        return oneIn == 0 || BitOperations.IsPow2(oneIn) ? new(oneIn)
            : throw new RecordingException("a block is damaged: a part of the events that there is not");
    }
}
