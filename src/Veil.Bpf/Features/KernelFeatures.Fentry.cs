// SPDX-License-Identifier: GPL-3.0-only
using System.Collections.Concurrent;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

public static unsafe partial class KernelFeatures
{
    private const int BPF_TRACE_RAW_TP = 23;
    private const int BPF_TRACE_FENTRY = 24;

    private static readonly ConcurrentDictionary<string, string?> s_fentryRefusals = new(StringComparer.Ordinal);

    /// <summary>
    /// Why the kernel would not load an <c>fentry</c> or <c>fexit</c> program for a function, or nothing. Cheaper than to find out by a
    /// whole object, whose other programs are verified first. It says nothing of attaching.
    /// </summary>
    /// <param name="function">The kernel function, as in <c>vfs_read</c>.</param>
    public static string? FentryRefusal(string function) =>
        s_fentryRefusals.GetOrAdd(function, static function => ProbeFentryLoad(function));

    private static string? ProbeFentryLoad(string function)
    {
        if (!HasBtf || !KernelBtf.TryFindFunction(function, out int typeId))
            return "this kernel has no such function";
        using var log = LogCapture.Begin();
        int program = LoadEmptyTracingProgram(BPF_TRACE_FENTRY, typeId);
        if (program < 0)
            return $"this kernel refuses function tracing ({Errno.Of(-program)}): not configured, or locked down";
        new FileDescriptorHandle(program).Dispose();
        return null;
    }

    /// <summary>
    /// By a <c>tp_btf</c> program: libbpf's own probe tries an fentry program, and answers no for the whole type where only function
    /// tracing is refused.
    /// </summary>
    private static bool? ProbeTracing()
    {
        if (!HasBtf || !KernelBtf.TryFindTypedef("btf_trace_sched_switch", out int typeId))
            return false;
        using var log = LogCapture.Begin();
        int program = LoadEmptyTracingProgram(BPF_TRACE_RAW_TP, typeId);
        if (program < 0)
            return program is -Errno.EPERM or -Errno.EACCES ? null : false;
        new FileDescriptorHandle(program).Dispose();
        return true;
    }

    private static int LoadEmptyTracingProgram(int attachType, int attachTypeId)
    {
        // r0 = 0; exit
        ulong* instructions = stackalloc ulong[] { 0x00000000_000000b7, 0x00000000_00000095 };
        var options = new NativeProgram.BpfProgLoadOpts
        {
            Size = (nuint)sizeof(NativeProgram.BpfProgLoadOpts),
            ExpectedAttachType = attachType,
            AttachBtfId = (uint)attachTypeId,
        };
        return NativeProgram.bpf_prog_load((int)BpfProgramType.Tracing, "veil_probe", "GPL", instructions, 2, &options);
    }
}
