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
        using var link = AttachIterator();
        int iterator = NativeAttach.bpf_iter_create(link.Fd);
        if (iterator < 0)
            throw BpfErrors.Create("running program", Name, Marshal.GetLastPInvokeError());
        try
        {
            const int roomBytes = 32 * 1024; // what the kernel collects before it waits for a read (bpf_seq_read())
            byte* room = stackalloc byte[roomBytes];
            nint count;
            while ((count = NativeFile.read(iterator, room, roomBytes)) != 0)
            {
                int errno = Marshal.GetLastPInvokeError();
                // EAGAIN: a million things were looked at, and it goes on from there (bpf_seq_read()).
                if (count < 0 && errno is not (ErrnoName.EINTR or ErrnoName.EAGAIN))
                    throw BpfErrors.Create("running program", Name, errno);
                if (count > 0)
                    take?.Invoke(new ReadOnlySpan<byte>(room, (int)count));
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
