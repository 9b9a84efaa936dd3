// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;

namespace Veil.Core.Text;

/// <summary>Internet addresses as people write them.</summary>
public static class IpText
{
    private const int GroupsOfV6 = 8;
    private const int VersionOffset = 16;

    /// <summary>Appends a <c>struct veil_ip</c>: 16 bytes in network order, then the version. IPv6 in the form of RFC 5952.</summary>
    public static void Append(ref LineWriter line, ReadOnlySpan<byte> ip)
    {
        if (ip[VersionOffset] == 4)
            AppendV4(ref line, ip);
        else
            AppendV6(ref line, ip);
    }

    /// <summary>Appends an IPv4 address: its first 4 bytes.</summary>
    public static void AppendV4(ref LineWriter line, ReadOnlySpan<byte> bytes)
    {
        for (int i = 0; i < 4; i++)
        {
            if (i > 0)
                line.Append((byte)'.');
            line.Append((ulong)bytes[i]);
        }
    }

    /// <summary>Appends an IPv6 address of 16 bytes.</summary>
    public static void AppendV6(ref LineWriter line, ReadOnlySpan<byte> bytes)
    {
        if (bytes[..10].IndexOfAnyExcept((byte)0) < 0 && bytes[10] == 0xff && bytes[11] == 0xff)
        {
            line.Append("::ffff:"u8);
            AppendV4(ref line, bytes[12..]);
            return;
        }

        // The first of the longest runs of zero groups, at least two, becomes "::".
        int start = GroupsOfV6, length = 1;
        for (int i = 0; i < GroupsOfV6; i++)
        {
            int run = 0;
            while (i + run < GroupsOfV6 && Group(bytes, i + run) == 0)
                run++;
            if (run > length)
                (start, length) = (i, run);
            i += run;
        }

        for (int i = 0; i < GroupsOfV6; i++)
        {
            if (i == start)
            {
                line.Append("::"u8);
                i += length - 1;
                continue;
            }

            if (i > 0 && i != start + length)
                line.Append((byte)':');
            line.AppendHex(Group(bytes, i));
        }
    }

    private static ushort Group(ReadOnlySpan<byte> bytes, int index) => BinaryPrimitives.ReadUInt16BigEndian(bytes[(2 * index)..]);
}
