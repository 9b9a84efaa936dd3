// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

public sealed unsafe partial class BpfProgram
{
    /// <summary>Runs an <c>iter/</c> program once over all that it iterates (5.8). What it prints is not kept.</summary>
    /// <exception cref="UnsupportedByKernelException">The kernel lacks this iterator.</exception>
    /// <exception cref="BpfException">Privileges are missing, or it ended early.</exception>
    /// <exception cref="InvalidOperationException">It is not loaded.</exception>
    public void Iterate()
    {
        using var run = PrepareIteration();
        run.Run();
    }

    /// <summary>Prepares such a run for later (5.8).</summary>
    /// <exception cref="UnsupportedByKernelException">The kernel lacks this iterator.</exception>
    /// <exception cref="BpfException">Privileges are missing.</exception>
    /// <exception cref="InvalidOperationException">It is not loaded.</exception>
    public BpfIteration PrepareIteration()
    {
        using var link = AttachIterator();
        int iterator = NativeAttach.bpf_iter_create(link.Fd);
        return iterator >= 0 ? new BpfIteration(Name, iterator) : throw BpfErrors.Create("running program", Name, Marshal.GetLastPInvokeError());
    }

    private BpfLink AttachIterator()
    {
        using var scope = Begin();
        return scope.Finish(NativeAttach.bpf_program__attach_iter(_native, 0), Section, HookKind.Other);
    }
}
