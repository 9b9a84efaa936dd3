// SPDX-License-Identifier: GPL-3.0-only
using Iced.Intel;
using Veil.Core.Symbols;

namespace Veil.Modules.Uprobe;

/// <summary>
/// Finds the instructions by which a function returns, to probe those and leave return addresses alone. Only where the answer is certain:
/// every byte of the function is an instruction, and it is left by <c>ret</c> or by calls that do not return, never by a jump (a tail call,
/// or one whose target
/// is only known when it runs).
/// </summary>
internal static class ReturnSites
{
    private const int BytesMax = 1 << 20;
    private const int ReturnsMax = 256;
    private const int PartsMax = 8;

    /// <summary>The return instructions of all functions of a site; nothing where they are not certain.</summary>
    public static IReadOnlyList<ulong>? Find(ProbeSite site)
    {
        var elf = site.File.Elf;
        if (!elf.IsX86 || site.Lengths.Count != site.Offsets.Count)
            return null;
        var returns = new HashSet<ulong>();
        foreach (var (offset, bytes) in site.Offsets.Zip(site.Lengths))
        {
            if (!AddReturns(elf, offset, bytes, returns) || returns.Count > ReturnsMax)
                return null;
        }

        return returns.Count > 0 ? [.. returns] : null;
    }

    // Compilers move what rarely runs away from the rest, to a symbol of its own: f.cold.
    private static bool AddReturns(ElfFile elf, ulong offset, ulong bytes, HashSet<ulong> returns)
    {
        var parts = new List<(ulong Start, ulong End)> { (offset, offset + bytes) };
        var starts = new HashSet<ulong>();
        var targets = new HashSet<ulong>();
        for (int i = 0; i < parts.Count; i++)
        {
            if (!Decode(elf, parts[i], starts, targets, returns))
                return false;
            foreach (ulong target in targets.Where(target => !parts.Exists(part => target >= part.Start && target < part.End)).ToList())
            {
                if (elf.ColdPartAt(target) is not { } cold || parts.Count == PartsMax)
                    return false;
                if (!parts.Contains(cold))
                    parts.Add(cold);
            }
        }

        // A jump to the first instruction would be seen as another call.
        return targets.All(starts.Contains) && !targets.Contains(offset);
    }

    private static bool Decode(
        ElfFile elf, (ulong Start, ulong End) part, HashSet<ulong> starts, HashSet<ulong> targets, HashSet<ulong> returns)
    {
        if (part.End - part.Start is 0 or > BytesMax)
            return false;
        byte[] code = elf.ReadCode(part.Start, (int)(part.End - part.Start));
        var decoder = Decoder.Create(elf.Is64 ? 64 : 32, new ByteArrayCodeReader(code), part.Start);
        var last = FlowControl.Next;
        while (decoder.IP < part.End)
        {
            var instruction = decoder.Decode();
            if (instruction.IsInvalid || instruction.NextIP > part.End)
                return false;
            starts.Add(instruction.IP);
            last = instruction.FlowControl;
            switch (last)
            {
                case FlowControl.Return when instruction.Mnemonic == Mnemonic.Ret:
                    returns.Add(instruction.IP);
                    break;
                case FlowControl.UnconditionalBranch or FlowControl.ConditionalBranch when instruction.Op0Kind is OpKind.NearBranch64
                    or OpKind.NearBranch32:
                    targets.Add(instruction.NearBranchTarget);
                    break;
                case FlowControl.Next or FlowControl.Call or FlowControl.IndirectCall or FlowControl.Exception or FlowControl.Interrupt:
                    break;
                default:
                    return false;
            }
        }

        // A call at the end does not return.
        return last is not (FlowControl.Next or FlowControl.ConditionalBranch);
    }
}
