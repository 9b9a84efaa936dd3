// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Unwinding;

/// <summary>
/// Finds the callers of interrupted code from its registers and a copy of its stack, by the frame tables of its files; where no table has a
/// place, by the frame pointer. Each step goes up the stack and stays in the copy, so it ends, whatever tables and memory say.
/// </summary>
internal static class StackUnwinder
{
    // A frame record, of those that the frame pointer leads to: the caller's frame pointer, and the address to return to.
    private const ulong FrameRecordBytes = 16;

    /// <summary>Unwinds a stack.</summary>
    /// <param name="machine">The registers.</param>
    /// <param name="registers">What they hold, as frame tables number them. Afterwards it is what they were in the last frame.</param>
    /// <param name="code">Where the code was interrupted.</param>
    /// <param name="memory">The copy.</param>
    /// <param name="source">What the process has mapped.</param>
    /// <param name="addresses">Takes the addresses, the innermost first.</param>
    /// <param name="exact">A bit for each address that no call returns to.</param>
    /// <param name="end">Why there are no more.</param>
    /// <returns>How many there are.</returns>
    public static int Unwind<TSource>(
        FrameRegisters machine, Span<ulong> registers, ulong code, scoped in StackMemory memory, ref TSource source, Span<ulong> addresses,
        out UInt128 exact, out UnwindEnd end)
        where TSource : struct, IFrameSource
    {
        exact = 1;
        Span<ulong> caller = stackalloc ulong[machine.Count];
        bool isExact = true;
        int count = 0;
        while (true)
        {
            if (count == addresses.Length)
            {
                end = UnwindEnd.Full;
                return count;
            }

            // A call may be the last instruction of a function: what it returns to is another one then.
            if (!source.TryFind(isExact ? code : code - 1, out var row))
            {
                // What was interrupted is shown, wherever it was: a call through a wild pointer.
                end = UnwindEnd.Unknown;
                if (count == 0 && code != 0)
                    addresses[count++] = code;
                return count;
            }

            if (row?.IsSignal == true)
                exact |= UInt128.One << count;
            addresses[count++] = code;
            if (row is not null && row.Of(row.ReturnRegister).Rule == FrameRule.Undefined)
            {
                end = UnwindEnd.Outermost;
                return count;
            }

            ulong before = registers[machine.Stack];
            bool mayStay = isExact;
            var failure = row is null ? StepByPointer(machine, registers, memory, caller, out code)
                : StepByRow(machine, row, registers, memory, caller, out code);
            if (failure is { } why)
            {
                end = why;
                return count;
            }

            // Interrupted code may not have a frame yet (arm64): its caller is at the same height.
            ulong after = caller[machine.Stack];
            if (after < before || (after == before && !mayStay) || code == 0)
            {
                end = code == 0 ? UnwindEnd.Outermost : UnwindEnd.Unknown;
                return count;
            }

            caller.CopyTo(registers);
            isExact = row?.IsSignal == true;
            if (isExact && count < addresses.Length)
                exact |= UInt128.One << count;
        }
    }

    private static UnwindEnd? StepByRow(
        FrameRegisters machine, FrameRow row, ReadOnlySpan<ulong> registers, scoped in StackMemory memory, Span<ulong> caller, out ulong code)
    {
        code = 0;
        ulong frame;
        if (row.AddressRegister >= 0)
            frame = registers[row.AddressRegister] + (ulong)row.AddressOffset;
        else if (!FrameExpression.TryEvaluate(row.AddressExpression.Span, registers, memory, null, out frame))
            return UnwindEnd.BeyondCopy;
        for (int i = 0; i < machine.Count; i++)
        {
            var (rule, value, expression) = row.Of(i);
            ulong result = 0;
            bool isKnown = rule switch
            {
                FrameRule.Same => Give(i == machine.Stack ? frame : registers[i], out result),
                FrameRule.Undefined => Give(0, out result),
                FrameRule.AtOffset => memory.TryRead(frame + (ulong)value, out result),
                FrameRule.Offset => Give(frame + (ulong)value, out result),
                FrameRule.Register => Give((ulong)value < (ulong)registers.Length ? registers[(int)value] : 0, out result),
                FrameRule.Expression => FrameExpression.TryEvaluate(expression.Span, registers, memory, frame, out result),
                _ => FrameExpression.TryEvaluate(expression.Span, registers, memory, frame, out ulong at) && memory.TryRead(at, out result),
            };
            // Of the others it may be that nobody needs them.
            if (!isKnown && i == row.ReturnRegister)
                return UnwindEnd.BeyondCopy;
            caller[i] = result;
        }

        code = caller[row.ReturnRegister] & machine.CodeMask;
        return null;
    }

    private static UnwindEnd? StepByPointer(
        FrameRegisters machine, ReadOnlySpan<ulong> registers, scoped in StackMemory memory, Span<ulong> caller, out ulong code)
    {
        code = 0;
        ulong frame = registers[machine.Frame];
        if (frame < registers[machine.Stack] || frame % sizeof(ulong) != 0)
            return UnwindEnd.Unknown;
        if (!memory.TryRead(frame, out ulong next) || !memory.TryRead(frame + sizeof(ulong), out code))
            return UnwindEnd.BeyondCopy;
        registers.CopyTo(caller);
        (caller[machine.Frame], caller[machine.Stack], caller[machine.Return]) = (next, frame + FrameRecordBytes, code);
        code &= machine.CodeMask;
        return null;
    }

    private static bool Give(ulong value, out ulong result)
    {
        result = value;
        return true;
    }
}
