// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Bench.Scenarios;

/// <summary>Counts how often a text occurs in a file of any size.</summary>
internal static class EventCounter
{
    private const int BlockBytes = 4 << 20;

    internal static long Count(string file, string mark)
    {
        byte[] needle = Encoding.UTF8.GetBytes(mark);
        byte[] buffer = new byte[BlockBytes];
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        long count = 0;
        int kept = 0;
        int read;
        while ((read = stream.Read(buffer, kept, buffer.Length - kept)) > 0)
        {
            ReadOnlySpan<byte> block = buffer.AsSpan(0, kept + read);
            count += block.Count(needle);
            // A mark may lie across two blocks; what is kept is too short to hold a whole one, so none is counted twice.
            kept = Math.Min(needle.Length - 1, block.Length);
            block[^kept..].CopyTo(buffer);
        }
        return count;
    }
}
