// SPDX-License-Identifier: GPL-3.0-only
using Iced.Intel;
using Veil.Core.Symbols;

namespace Veil.Modules.Uprobe;

/// <summary>
/// Finds whether a place in a function begins an instruction: a breakpoint in the middle of one breaks the program. The answer is certain
/// where every byte of the function is an instruction and every jump inside it leads to the start of one.
/// </summary>
internal static class InstructionStarts
{
    private const int BytesMax = 1 << 20;
    private const int Arm64Bytes = 4;

    /// <summary>Where the instruction that covers a place begins and the next one does; nothing where that is not certain.</summary>
    /// <param name="elf">The file.</param>
    /// <param name="function">Where in it the function begins, and its length; 0 where that is not known.</param>
    /// <param name="offset">The place in the file.</param>
    public static (ulong Start, ulong Next)? Around(ElfFile elf, (ulong Start, ulong Bytes) function, ulong offset)
    {
        // All instructions of arm64 have one length, so the beginning of the function is enough.
        if (!elf.IsX86)
        {
            ulong start = offset - ((offset - function.Start) % Arm64Bytes);
            return (start, start + Arm64Bytes);
        }

        if (function.Bytes is 0 or > BytesMax || offset < function.Start || offset - function.Start >= function.Bytes)
            return null;
        int length = (int)function.Bytes, place = (int)(offset - function.Start);
        bool[] begins = new bool[length + 1];
        begins[length] = true;
        var targets = new List<ulong>();
        // Counted from the function's start: so a target inside is below its length.
        var decoder = Decoder.Create(elf.Is64 ? 64 : 32, new ByteArrayCodeReader(elf.ReadCode(function.Start, length)));
        while (decoder.IP < function.Bytes)
        {
            var instruction = decoder.Decode();
            if (instruction.IsInvalid || instruction.NextIP > function.Bytes)
                return null;
            begins[(int)instruction.IP] = true;
            if (instruction.FlowControl is FlowControl.UnconditionalBranch or FlowControl.ConditionalBranch
                && instruction.Op0Kind is OpKind.NearBranch64 or OpKind.NearBranch32)
                targets.Add(instruction.NearBranchTarget);
        }

        if (targets.Exists(target => target < function.Bytes && !begins[(int)target]))
            return null;
        return (function.Start + (ulong)Array.LastIndexOf(begins, true, place), function.Start
            + (ulong)Array.IndexOf(begins, true, place + 1));
    }
}
