// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
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
    /// <exception cref="UnsupportedByKernelException">The kernel lacks this iterator.</exception>
    /// <exception cref="BpfException">Privileges are missing.</exception>
    /// <exception cref="InvalidOperationException">It is not loaded.</exception>
    public BpfIteration PrepareIteration()
    {
        using var link = AttachIterator();
        int iterator = NativeAttach.bpf_iter_create(link.Fd);
        return iterator >= 0 ? new BpfIteration(Name, iterator)
            : throw BpfErrors.Create("running program", Name, Marshal.GetLastPInvokeError());
    }

    private BpfLink AttachIterator()
    {
        using var scope = Begin();
        return scope.Finish(NativeAttach.bpf_program__attach_iter(_native, 0), Section, HookKind.Other);
    }
}
