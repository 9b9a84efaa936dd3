// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Export;

/// <summary>Reads the fields of a message. What is none ends it.</summary>
internal static class ProtoFields
{
    private const int Varint = 0;
    private const int Fixed64 = 1;
    private const int Length = 2;
    private const int Fixed32 = 5;

    /// <summary>Each field with its number, or its bytes.</summary>
    public static List<(int Field, ulong Number, byte[] Bytes)> Read(byte[] message)
    {
        var fields = new List<(int, ulong, byte[])>();
        int at = 0;
        while (at < message.Length && TryVarint(message, ref at, out ulong tag))
        {
            int field = (int)(tag >> 3);
            switch ((int)tag & 7)
            {
                case Varint when TryVarint(message, ref at, out ulong number):
                    fields.Add((field, number, []));
                    break;
                case Length when TryVarint(message, ref at, out ulong length) && length <= (ulong)(message.Length - at):
                    fields.Add((field, 0, message[at..(at + (int)length)]));
                    at += (int)length;
                    break;
                case Fixed64:
                    at += 8;
                    break;
                case Fixed32:
                    at += 4;
                    break;
                default:
                    return fields;
            }
        }

        return fields;
    }

    private static bool TryVarint(byte[] message, ref int at, out ulong value)
    {
        value = 0;
        for (int shift = 0; shift < 64 && at < message.Length; shift += 7)
        {
            byte one = message[at++];
            value |= (ulong)(one & 0x7f) << shift;
            if (one < 0x80)
                return true;
        }

        return false;
    }
}
