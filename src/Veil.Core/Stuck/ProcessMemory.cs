// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Interop;

namespace Veil.Core.Stuck;

/// <summary>The memory of another process (process_vm_readv(2)). It is there or not: nothing is brought in that is not.</summary>
internal static unsafe class ProcessMemory
{
    private const ulong PageMask = 4095;

    /// <summary>Reads as much as there is, up to the room.</summary>
    /// <param name="tid">A thread that has it: a leader that has ended has none any more, though others of the process run.</param>
    /// <param name="address">Where.</param>
    /// <param name="room">What is read.</param>
    /// <returns>Bytes that were read; 0 where there are none.</returns>
    public static int Read(uint tid, ulong address, Span<byte> room)
    {
        int done = 0;
        // By pages: of one that is not there nothing is given, and so of all that is asked for at once.
        while (done < room.Length)
        {
            ulong at = address + (ulong)done;
            int count = Math.Min(room.Length - done, (int)(PageMask + 1 - (at & PageMask)));
            if (ReadPiece(tid, at, room.Slice(done, count)) != count)
                break;
            done += count;
        }

        return done;
    }

    private static int ReadPiece(uint tid, ulong address, Span<byte> room)
    {
        fixed (byte* to = room)
        {
            LibC.IoVector local = new() { Base = to, Bytes = room.Length }, remote = new() { Base = (void*)address, Bytes = room.Length };
            return (int)LibC.ProcessVmReadV((int)tid, &local, 1, &remote, 1, 0);
        }
    }
}
