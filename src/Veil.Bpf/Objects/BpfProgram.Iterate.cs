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
        using var link = AttachIterator();
        int iterator = NativeAttach.bpf_iter_create(link.Fd);
        if (iterator < 0)
            throw BpfErrors.Create("running program", Name, Marshal.GetLastPInvokeError());
        try
        {
            const int roomBytes = 4096;
            byte* room = stackalloc byte[roomBytes];
            nint count;
            while ((count = NativeFile.read(iterator, room, roomBytes)) != 0)
            {
                int errno = Marshal.GetLastPInvokeError();
                // EAGAIN: a million things were looked at, and it goes on from there (bpf_seq_read()).
                if (count < 0 && errno is not (Errno.EINTR or Errno.EAGAIN))
                    throw BpfErrors.Create("running program", Name, errno);
            }
        }
        finally
        {
            _ = NativeFile.close(iterator);
        }
    }

    private BpfLink AttachIterator()
    {
        using var scope = Begin();
        return scope.Finish(NativeAttach.bpf_program__attach_iter(_native, 0), Section, HookKind.Other);
    }
}
