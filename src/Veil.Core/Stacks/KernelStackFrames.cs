// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using Veil.Core.Symbols;

namespace Veil.Core.Stacks;

/// <summary>A stack of the kernel that was taken by a program begins in the program: those frames say nothing of what it was for.</summary>
internal static class KernelStackFrames
{
    // What lies between a hook and the frames that a helper gives.
    private const int MachineryMax = 24;

    private static readonly SearchValues<char> s_hexDigits = SearchValues.Create("0123456789abcdef");

    private static readonly string[] s_machinery =
    [
        "arch_stack_walk", "bpf_dispatcher_", "bpf_get_stack", "bpf_get_task_stack", "bpf_overflow_handler", "bpf_trace_run", "bpf_trampoline_",
        "__bpf_get_stack", "__bpf_get_task_stack", "__bpf_trace_", "__bpf_prog_enter", "__bpf_prog_exit", "get_callchain_entry_for_task",
        "__perf_event_overflow", "perf_swevent_", "___perf_sw_event", "__perf_sw_event", "perf_tp_event", "perf_trace_", "perf_syscall_",
        "stack_trace_save", "trace_call_bpf", "__traceiter_", "uprobe_dispatcher", "uretprobe_dispatcher", "__uprobe_perf_func", "uprobe_perf_func",
    ];

    /// <summary>How many of the innermost frames are of the program and of what called it.</summary>
    public static int MachineryOf(IReadOnlyList<StackFrame> frames)
    {
        int count = 0;
        for (int i = 0; i < frames.Count && i < MachineryMax; i++)
        {
            // Programs themselves need not have a name (net.core.bpf_jit_kallsyms).
            if (frames[i].Symbol is not { } symbol)
                continue;
            if (!IsMachinery(symbol))
                break;
            count = i + 1;
        }

        return count;
    }

    // bpf_prog_0123456789abcdef_name, and the helpers' own names that only look like it (bpf_prog_load).
    private static bool IsMachinery(string symbol)
    {
        const string program = "bpf_prog_";
        const int tagDigits = 16;
        if (symbol.StartsWith(program, StringComparison.Ordinal))
            return symbol.Length >= program.Length + tagDigits && symbol.AsSpan(program.Length, tagDigits).IndexOfAnyExcept(s_hexDigits) < 0;
        return Array.Exists(s_machinery, name => symbol.StartsWith(name, StringComparison.Ordinal));
    }
}
