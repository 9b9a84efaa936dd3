// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf.Interop;

namespace Veil.Bpf;

public sealed unsafe partial class BpfProgram
{
    /// <summary>Takes bytes, which are valid during the call alone.</summary>
    public delegate void BytesTaker(ReadOnlySpan<byte> bytes);

    /// <summary>Runs an <c>iter/</c> program once over all that it iterates (5.8).</summary>
    /// <param name="take">Takes what it writes, in its order; a write of it may come in pieces. Null: nobody does.</param>
    /// <exception cref="UnsupportedByKernelException">The kernel lacks this iterator.</exception>
    /// <exception cref="BpfException">Privileges are missing, or it ended early.</exception>
    /// <exception cref="InvalidOperationException">It is not loaded.</exception>
    public void Iterate(BytesTaker? take = null)
    {
        using var run = PrepareIteration();
        run.Run(take);
    }

    /// <summary>Prepares such a run for later (5.8).</summary>
    /// <param name="map">The map whose entries it iterates (<c>iter/bpf_map_elem</c>); none: it iterates something else.</param>
    /// <exception cref="UnsupportedByKernelException">The kernel lacks this iterator.</exception>
    /// <exception cref="BpfException">Privileges are missing.</exception>
    /// <exception cref="InvalidOperationException">It is not loaded.</exception>
    public BpfIteration PrepareIteration(BpfMap? map = null)
    {
        using var link = AttachIterator(map);
        return BpfIteration.Of(Name, link);
    }

    /// <summary>Prepares any number of runs (5.8). Nothing runs until <see cref="BpfIterator.Run"/>.</summary>
    /// <param name="map">As for <see cref="PrepareIteration"/>.</param>
    /// <exception cref="UnsupportedByKernelException">The kernel lacks this iterator.</exception>
    /// <exception cref="BpfException">Privileges are missing.</exception>
    /// <exception cref="InvalidOperationException">It is not loaded.</exception>
    public BpfIterator PrepareIterator(BpfMap? map = null) => new(Name, AttachIterator(map));

    private BpfLink AttachIterator(BpfMap? map)
    {
        NativeAttach.BpfIterLinkInfo info = new() { MapFd = map?.Fd ?? 0 };
        NativeAttach.BpfIterAttachOpts options = new()
        {
            Size = (nuint)sizeof(NativeAttach.BpfIterAttachOpts),
            LinkInfo = &info,
            LinkInfoSize = (uint)sizeof(NativeAttach.BpfIterLinkInfo),
        };
        using var scope = Begin();
        return scope.Finish(NativeAttach.bpf_program__attach_iter(_native, map is null ? null : &options), Section, HookKind.Other);
    }
}
