// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Veil.Bpf;
using Veil.Core.Modules;
using Veil.Core.Options;
using Veil.Core.Stacks;

namespace Veil.Core.Sources;

/// <summary>What programs read of stacks, and where they leave them: the constants and maps of <c>bpf/veil/stack.bpf.h</c>.</summary>
internal static class StackReading
{
    private const int Slots = 4; // VEIL_STACK_NESTING
    private const string DepthFile = "/proc/sys/kernel/perf_event_max_stack";

    // bpf_get_current_task_btf(), commit 3ca1032ab7ab.
    private static readonly Version s_needed = new(5, 11);

    // bpf_task_pt_regs(), commit dd6e10fbd9fb.
    private static readonly Version s_neededToCopy = new(5, 15);

    private static readonly ulong s_seed = MemoryMarshal.Read<ulong>(RandomNumberGenerator.GetBytes(sizeof(ulong)));

    /// <summary>Sets an object up before it is loaded.</summary>
    /// <exception cref="VeilException">This kernel gives no stacks.</exception>
    public static void Configure(BpfObject bpfObject, SessionOptions options, TraceModule module, ModuleArguments arguments)
    {
        var own = module.OwnStacks(arguments);
        var read = own is null ? options.Stacks : StackKinds.None;
        if (read != StackKinds.None && KernelFeatures.KernelVersion < s_needed)
            throw new VeilException($"--stack: stacks of module {module.Name} need Linux {s_needed}, and this is {KernelFeatures.KernelVersion}");
        bpfObject.SetGlobal("veil_stacks_read", (uint)read);
        if ((own ?? read) == StackKinds.None)
            return;
        bool copies = options.Unwind != StackUnwind.FramePointers && (own ?? read).HasFlag(StackKinds.User);
        if (copies && KernelFeatures.KernelVersion < s_neededToCopy)
            throw new VeilException(
                $"--unwind: the registers of a task need Linux {s_neededToCopy}, and this is {KernelFeatures.KernelVersion}; --unwind fp follows frame pointers");
        bpfObject.SetGlobal("veil_stack_copy", copies ? (uint)options.StackCopyBytes : 0);
        bpfObject.SetGlobal("veil_stack_walks", copies && options.Unwind == StackUnwind.Both);
        bool isKept = options.Counting is not null;
        bpfObject.SetGlobal("veil_stacks_kept", isKept);
        bpfObject.SetGlobal("veil_stack_seed", s_seed);
        bpfObject.SetGlobal("veil_stack_most", Depth());
        bpfObject.Map("veil_stack_slot").SetMaxEntries(Slots);
        if (isKept)
            // As many as keys can have, so that a table that is not full never lacks one.
            bpfObject.Map(StackMap.Name).SetMaxEntries(options.Counting!.Keys * Math.Max(options.Counting.KeysOf(module).Count(IsStack), 1));
        else
            bpfObject.Map("veil_stack_sent").SetMaxEntries(StackTable.SentMax);
    }

    private static bool IsStack(string field) => field.EndsWith("stack", StringComparison.Ordinal);

    // The kernel walks no further than that, however much room there is.
    private static uint Depth() =>
        File.Exists(DepthFile) && uint.TryParse(File.ReadAllText(DepthFile).AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out uint depth)
            ? Math.Min(depth, TakenStack.FramesMax) : TakenStack.FramesMax;
}
