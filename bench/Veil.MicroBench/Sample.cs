// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Events;
using Veil.Core.Losses;
using Veil.Core.Modules;
using Veil.Core.Output;
using Veil.Core.Sinks;
using Veil.Modules;

namespace Veil.MicroBench;

/// <summary>An event of a system call, through the real schema.</summary>
internal static class Sample
{
    public const int RecordBytes = 56;

    private const int PidOffset = 16;
    private const int SyscallOffset = 44;

    public static EventCatalog Events { get; } =
        ModuleEvents.Read([ModuleCatalog.All.First(static module => module.Name == "syscall")], ModuleArguments.None);

    /// <summary>Its bytes.</summary>
    public static byte[] Record()
    {
        byte[] record = new byte[RecordBytes];
        "nginx"u8.CopyTo(record);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(PidOffset), Environment.ProcessId);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(PidOffset + 4), Environment.ProcessId);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(Events.Header.TimestampOffset), 1_000_000_000_000);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(SyscallOffset), 257);
        return record;
    }

    /// <summary>Takes everything and keeps nothing.</summary>
    public sealed class Nowhere : IOutput, IEventSink
    {
        public ulong Delivered => 0;

        public void Write(ReadOnlySpan<byte> lines)
        {
        }

        public void Write(ref EventView view)
        {
        }

        public bool Lost(LossKey key, LossCount lost) => true;

        public void Flush()
        {
        }

        public void End()
        {
        }
    }
}
