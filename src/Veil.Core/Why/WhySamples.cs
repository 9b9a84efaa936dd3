// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Bpf;
using Veil.Core.Kernel;
using Veil.Core.Symbols;

namespace Veil.Core.Why;

/// <summary>The samples of what runs, as the kernel takes them, counted by their stacks.</summary>
internal sealed class WhySamples : IDisposable
{
    private const int FramesMax = 64; // WHY_FRAMES
    private const int HeadWords = 4;  // of struct why_sample, before its frames
    private const int StacksMax = 1 << 14;

    // Where the kernel is while it brings in a page.
    private static readonly string[] s_faults = ["handle_mm_fault", "do_user_addr_fault", "exc_page_fault", "do_page_fault", "do_mem_abort"];

    private readonly RingBuffer _ring;
    private readonly StackNames _names;
    private readonly List<BpfLink> _links = [];
    private readonly Dictionary<string, Stack> _stacks = new(StringComparer.Ordinal);

    private WhySamples(BpfObject bpfObject, uint pid, int ringBytes)
    {
        _ring = new RingBuffer(bpfObject.Map("why_samples").Handle, ringBytes);
        _names = StackNames.Start(root: null, pids: [(int)pid]);
    }

    /// <summary>Begins, on every CPU.</summary>
    /// <param name="bpfObject">The loaded object.</param>
    /// <param name="pid">The process.</param>
    /// <param name="ringBytes">The size of the ring.</param>
    /// <param name="hertz">Samples of each CPU a second.</param>
    /// <exception cref="BpfException">The kernel refused.</exception>
    public static WhySamples Start(BpfObject bpfObject, uint pid, int ringBytes, uint hertz)
    {
        var samples = new WhySamples(bpfObject, pid, ringBytes);
        try
        {
            foreach (var clock in PerfEventHandle.OpenClocks(hertz))
            {
                using (clock)
                    samples._links.Add(bpfObject.Program("why_sample_perf").AttachPerfEvent(clock));
            }

            return samples;
        }
        catch
        {
            samples.Dispose();
            throw;
        }
    }

    /// <summary>Takes what has come.</summary>
    public void Drain()
    {
        while (_ring.TryRead(out var record))
            Take(MemoryMarshal.Cast<byte, ulong>(record));
        _ring.Release();
    }

    /// <summary>What was seen, with names.</summary>
    public IReadOnlyList<WhyFunction> Collect() => [.. _stacks.Values.Select(Name)];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var link in _links)
            link.Dispose();
        _names.Dispose();
        _ring.Dispose();
    }

    private void Take(ReadOnlySpan<ulong> words)
    {
        if (words.Length < HeadWords + (2 * FramesMax))
            return;
        int userFrames = Math.Min((int)(uint)words[2], FramesMax), kernelFrames = Math.Min((int)(words[2] >> 32), FramesMax);
        // A program that makes stacks without end has its functions counted, and not the ways to them.
        if (_stacks.Count >= StacksMax)
            userFrames = Math.Min(userFrames, 1);
        var user = words.Slice(HeadWords, userFrames);
        var kernel = words.Slice(HeadWords + FramesMax, kernelFrames);
        ulong[] key = [words[0], words[1], (ulong)userFrames, .. user, .. kernel];
        string text = new(MemoryMarshal.Cast<ulong, char>(key));
        if (!_stacks.TryGetValue(text, out var stack))
            _stacks.Add(
                text,
                stack = new Stack(
                    (uint)words[0], (WhyState)(words[0] >> 32), (int)words[1], (SyscallArch)(words[1] >> 32), (long)words[3], user.ToArray(),
                    kernel.ToArray()));
        stack.Samples++;
    }

    private WhyFunction Name(Stack stack)
    {
        bool isFault = stack.State == WhyState.User
            && stack.Kernel.Any(address => s_faults.Contains(_names.Kernel(address, isReturn: true).Symbol, StringComparer.Ordinal));
        var frames = stack.User.Select((address, at) => _names.User((int)stack.Pid, address, stack.TimeNs, isReturn: at > 0)).Select(TextOf);
        return new WhyFunction(
            stack.Pid, stack.State, stack.State == WhyState.Kernel ? WhyKey.NameOf(stack.Arch, stack.Number) : "", isFault, [.. frames], stack.Samples);
    }

    private static (string Name, string? File) TextOf(StackFrame frame) =>
        (frame.Symbol ?? (frame.File is null ? $"0x{frame.Address:x}" : $"+0x{frame.Offset:x}"), frame.File is { } file ? Path.GetFileName(file) : null);

    private sealed class Stack(uint pid, WhyState state, int number, SyscallArch arch, long timeNs, ulong[] user, ulong[] kernel)
    {
        public uint Pid => pid;

        public WhyState State => state;

        public int Number => number;

        public SyscallArch Arch => arch;

        public long TimeNs => timeNs;

        public ulong[] User => user;

        public ulong[] Kernel => kernel;

        public ulong Samples { get; set; }
    }
}
