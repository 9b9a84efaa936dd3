// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;

namespace Veil.Core.Symbols;

/// <summary>What happened to a process, as a record of perf tells it (include/uapi/linux/perf_event.h).</summary>
/// <param name="Kind">What it was.</param>
/// <param name="TimeNs">When, by CLOCK_MONOTONIC.</param>
/// <param name="Pid">The process.</param>
/// <param name="ParentPid">Of a fork: the process that forked.</param>
/// <param name="Start">Of a mapping: its first address.</param>
/// <param name="End">Of a mapping: the address behind its last.</param>
/// <param name="Offset">Of a mapping: where in the file it begins. Of a loss: how many records.</param>
/// <param name="Path">Of a mapping: the path of the file, or what is there instead of one.</param>
/// <param name="File">Of a mapping: which file it was, where the kernel told.</param>
/// <param name="BuildId">Of a mapping: the id of the file's build in hexadecimal, where the kernel told.</param>
internal readonly record struct MapRecord(
    MapRecordKind Kind, long TimeNs, int Pid, int ParentPid = 0, ulong Start = 0, ulong End = 0, ulong Offset = 0, string Path = "",
    FileIdentity File = default, string BuildId = "")
{
    private const uint TypeLost = 2;
    private const uint TypeComm = 3;
    private const uint TypeExit = 4;
    private const uint TypeFork = 7;
    private const uint TypeMmap2 = 10;
    private const ushort MiscExec = 1 << 13; // PERF_RECORD_MISC_COMM_EXEC, and _MMAP_DATA of a mapping
    private const ushort MiscBuildId = 1 << 14; // PERF_RECORD_MISC_MMAP_BUILD_ID
    private const int TimeBytes = 8;

    /// <summary>Reads a record; nothing where it says nothing about what is mapped.</summary>
    public static MapRecord? Read(uint type, ushort misc, ReadOnlySpan<byte> body)
    {
        const int taskBytes = 24, mapBytes = 64, nameAt = 64, fileAt = 32, buildIdMax = 20;
        if (body.Length < TimeBytes)
            return null;
        long time = BinaryPrimitives.ReadInt64LittleEndian(body[^TimeBytes..]);
        switch (type)
        {
            case TypeLost when body.Length >= 16:
                return new(MapRecordKind.Lost, time, 0, Offset: U64(body[8..]));
            case TypeComm when body.Length >= 8 + TimeBytes && (misc & MiscExec) != 0:
                return new(MapRecordKind.Exec, time, S32(body));
            // A thread that is made or ends is the process's own.
            case TypeFork when body.Length >= taskBytes && S32(body) != S32(body[4..]):
                return new(MapRecordKind.Fork, time, S32(body), S32(body[4..]));
            case TypeExit when body.Length >= taskBytes && S32(body) == S32(body[8..]):
                return new(MapRecordKind.Exit, time, S32(body));
            case TypeMmap2 when body.Length >= mapBytes + TimeBytes && (misc & MiscExec) == 0:
                var name = body[nameAt..^TimeBytes];
                int end = name.IndexOf((byte)0);
                ulong start = U64(body[8..]), bytes = U64(body[16..]);
                bool hasId = (misc & MiscBuildId) != 0 && body[fileAt] is > 0 and <= buildIdMax;
                return new(
                    MapRecordKind.Map, time, S32(body), Start: start, End: start + Math.Min(bytes, ulong.MaxValue - start),
                    Offset: U64(body[24..]), Path: Encoding.UTF8.GetString(end < 0 ? name : name[..end]),
                    File: (misc & MiscBuildId) != 0 ? default
                        : new(U32(body[fileAt..]), U32(body[(fileAt + 4)..]), U64(body[(fileAt + 8)..])),
                    BuildId: hasId ? Convert.ToHexStringLower(body.Slice(fileAt + 4, body[fileAt])) : "");
            default:
                return null;
        }
    }

    private static ulong U64(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt64LittleEndian(bytes);

    private static uint U32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private static int S32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt32LittleEndian(bytes);
}

/// <summary>Kinds of it.</summary>
internal enum MapRecordKind
{
    /// <summary>Code was mapped, or made executable.</summary>
    Map,

    /// <summary>A process was made; it has what its parent has mapped.</summary>
    Fork,

    /// <summary>Another program was started in a process; nothing is mapped any more.</summary>
    Exec,

    /// <summary>A process ended.</summary>
    Exit,

    /// <summary>Records were lost.</summary>
    Lost,
}
