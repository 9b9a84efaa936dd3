// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Unwinding;

/// <summary>Expressions in frame tables (DWARF 5, 2.5), as far as they need nothing but registers and the stack. Loops end.</summary>
internal static class FrameExpression
{
    private const int StepsMax = 256;
    private const int DepthMax = 32;

    /// <summary>Evaluates one.</summary>
    /// <param name="expression">The expression.</param>
    /// <param name="registers">The registers of the frame.</param>
    /// <param name="memory">The memory.</param>
    /// <param name="initial">What is on its stack first; or nothing.</param>
    /// <param name="value">What it gives.</param>
    public static bool TryEvaluate(
        ReadOnlySpan<byte> expression, ReadOnlySpan<ulong> registers, scoped in StackMemory memory, ulong? initial, out ulong value)
    {
        Span<ulong> stack = stackalloc ulong[DepthMax];
        int depth = 0;
        if (initial is { } first)
            stack[depth++] = first;
        value = 0;
        var reader = new DwarfReader(expression);
        for (int step = 0; !reader.IsAtEnd; step++)
        {
            // At most two are pushed, and three looked at.
            if (step == StepsMax || depth >= DepthMax - 1)
                return false;
            byte code = reader.U8();
            if (Pushed(code, ref reader, registers) is { } pushed)
            {
                stack[depth++] = pushed;
                continue;
            }

            int needed = Needed(code);
            if (needed < 0 || depth < needed)
                return false;
            ulong top = depth > 0 ? stack[depth - 1] : 0, second = depth > 1 ? stack[depth - 2] : 0;
            switch (code)
            {
                case 0x06 or 0x94: // deref, deref_size
                    int size = code == 0x06 ? sizeof(ulong) : reader.U8();
                    if (size is not (1 or 2 or 4 or 8) || !memory.TryRead(top, out stack[depth - 1], size))
                        return false;
                    break;
                case 0x12: // dup
                    stack[depth++] = top;
                    break;
                case 0x13: // drop
                    depth--;
                    break;
                case 0x14: // over
                    stack[depth++] = second;
                    break;
                case 0x15: // pick
                    int back = reader.U8();
                    if (back >= depth)
                        return false;
                    stack[depth] = stack[depth - 1 - back];
                    depth++;
                    break;
                case 0x16: // swap
                    (stack[depth - 1], stack[depth - 2]) = (second, top);
                    break;
                case 0x17: // rot
                    (stack[depth - 1], stack[depth - 2], stack[depth - 3]) = (second, stack[depth - 3], top);
                    break;
                case 0x19: // abs
                    stack[depth - 1] = (long)top < 0 ? 0 - top : top;
                    break;
                case 0x1f: // neg
                    stack[depth - 1] = 0 - top;
                    break;
                case 0x20: // not
                    stack[depth - 1] = ~top;
                    break;
                case 0x23: // plus_uconst
                    stack[depth - 1] = top + reader.Uleb();
                    break;
                case 0x28 or 0x2f: // bra, skip
                    int distance = (short)reader.U16();
                    if (code == 0x28)
                        depth--;
                    if (code == 0x2f || top != 0)
                        reader = new DwarfReader(expression, reader.Position + distance);
                    break;
                case 0x96: // nop
                    break;
                default:
                    depth--;
                    if (!TryCombine(code, second, top, out stack[depth - 1]))
                        return false;
                    break;
            }

            if (reader.IsBeyond)
                return false;
        }

        if (depth == 0 || reader.IsBeyond)
            return false;
        value = stack[depth - 1];
        return true;
    }

    private static ulong? Pushed(byte code, ref DwarfReader reader, ReadOnlySpan<ulong> registers)
    {
        switch (code)
        {
            case >= 0x30 and <= 0x4f: // lit0 to lit31
                return code - 0x30UL;
            case >= 0x70 and <= 0x8f or 0x92: // breg0 to breg31, bregx
                ulong register = code == 0x92 ? reader.Uleb() : code - 0x70UL;
                long offset = reader.Sleb();
                return register < (ulong)registers.Length ? registers[(int)register] + (ulong)offset : null;
        }

        return code switch
        {
            0x08 => reader.U8(),
            0x09 => (ulong)(sbyte)reader.U8(),
            0x0a => reader.U16(),
            0x0b => (ulong)(short)reader.U16(),
            0x0c => reader.U32(),
            0x0d => (ulong)(int)reader.U32(),
            0x0e or 0x0f => reader.U64(),
            0x10 => reader.Uleb(),
            0x11 => (ulong)reader.Sleb(),
            _ => null,
        };
    }

    // How many values it takes; negative: it is not known, or needs what is not here (an address in a file that lies elsewhere now).
    private static int Needed(byte code) => code switch
    {
        0x06 or 0x12 or 0x13 or 0x15 or 0x19 or 0x1f or 0x20 or 0x23 or 0x28 or 0x94 => 1,
        0x14 or 0x16 or 0x1a or 0x1c or 0x1e or 0x21 or 0x22 or (>= 0x24 and <= 0x27) or (>= 0x29 and <= 0x2e) => 2,
        0x17 => 3,
        0x2f or 0x96 => 0,
        _ => -1,
    };

    private static bool TryCombine(byte code, ulong one, ulong other, out ulong value)
    {
        int shift = (int)Math.Min(other, 63);
        ulong? result = code switch
        {
            0x1a => one & other,
            0x1c => one - other,
            0x1e => one * other,
            0x21 => one | other,
            0x22 => one + other,
            0x24 => other > 63 ? 0 : one << shift,
            0x25 => other > 63 ? 0 : one >> shift,
            0x26 => (ulong)((long)one >> shift),
            0x27 => one ^ other,
            0x29 => one == other ? 1UL : 0,
            0x2a => (long)one >= (long)other ? 1UL : 0,
            0x2b => (long)one > (long)other ? 1UL : 0,
            0x2c => (long)one <= (long)other ? 1UL : 0,
            0x2d => (long)one < (long)other ? 1UL : 0,
            0x2e => one != other ? 1UL : 0,
            _ => null,
        };
        value = result ?? 0;
        return result is not null;
    }
}
