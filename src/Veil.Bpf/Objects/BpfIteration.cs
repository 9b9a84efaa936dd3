// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>A run of an <c>iter/</c> program that has not begun. It outlives the privileges that made it.</summary>
public sealed unsafe class BpfIteration : IDisposable
{
    private readonly string _program;
    private int _fd;

    internal BpfIteration(string program, int fd)
    {
        _program = program;
        _fd = fd;
    }

    /// <summary>Makes a run of a program by its link.</summary>
    /// <exception cref="BpfException">Privileges are missing.</exception>
    internal static BpfIteration Of(string program, BpfLink link)
    {
        int iterator = NativeAttach.bpf_iter_create(link.Fd);
        return iterator >= 0
            ? new BpfIteration(program, iterator)
            : throw BpfErrors.Create("running program", program, Marshal.GetLastPInvokeError());
    }

    /// <summary>Runs the program over all that it iterates, once.</summary>
    /// <param name="take">Takes what the program writes (<c>bpf_seq_write()</c>), piece by piece; none: it is not kept.</param>
    /// <exception cref="BpfException">It ended early.</exception>
    public void Run(BpfProgram.BytesTaker? take = null)
    {
        const int roomBytes = 32 * 1024; // what the kernel collects before it waits for a read (bpf_seq_read())
        byte* room = stackalloc byte[roomBytes];
        nint count;
        while ((count = NativeFile.read(_fd, room, roomBytes)) != 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            // EAGAIN: a million things were looked at, and it goes on from there (bpf_seq_read()).
            if (count < 0 && errno is not (Errno.EINTR or Errno.EAGAIN))
                throw BpfErrors.Create("running program", _program, errno);
            if (count > 0)
                take?.Invoke(new ReadOnlySpan<byte>(room, (int)count));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_fd >= 0)
            _ = NativeFile.close(_fd);
        _fd = -1;
    }
}
