// SPDX-License-Identifier: GPL-3.0-only
using System.ComponentModel;
using System.Runtime.InteropServices;
using Veil.Core.Interop;

namespace Veil.Core.Waiting;

/// <summary>What the reading thread sleeps on: the rings, the request to stop, the output going away.</summary>
/// <remarks>
/// The ring is watched for edges. A ring that holds anything is "readable", so waiting for the level would turn a busy trace
/// into a loop of tiny reads and writes; the edge comes only when a program asks for a wake-up.
/// </remarks>
internal sealed unsafe class WaitSet : IDisposable
{
    private readonly int _eventsMax;
    private readonly int _epoll;
    private readonly int[] _outputs;

    /// <summary>Makes the set.</summary>
    /// <param name="rings">Descriptors that become readable when there is something to take.</param>
    /// <param name="stop">Readable when the end is asked for.</param>
    /// <param name="outputs">Whose reader may go away; those below 0 cannot be watched.</param>
    public WaitSet(IReadOnlyCollection<int> rings, int stop, IEnumerable<int> outputs)
    {
        _outputs = [.. outputs.Where(static output => output >= 0)];
        _epoll = LibC.EPollCreate(LibC.EPollCloexec);
        if (_epoll < 0)
            throw new VeilException(
                $"making an epoll set: {Marshal.GetLastPInvokeErrorMessage()}", new Win32Exception(Marshal.GetLastPInvokeError()));
        foreach (int ring in rings)
            Add(ring, LibC.EPollIn | LibC.EPollEdge);
        _eventsMax = rings.Count + 1 + _outputs.Length;
        Add(stop, LibC.EPollIn);
        // With no event asked for, what remains is the reader's end being closed. A file cannot be watched, and never closes.
        foreach (int output in _outputs)
            Add(output, 0);
    }

    /// <summary>Sleeps until something happens, or for the given time.</summary>
    /// <returns>False where the reader of an output is gone.</returns>
    public bool Wait(int timeoutMs)
    {
        byte* events = stackalloc byte[LibC.EPollEventBytes * _eventsMax];
        int count = LibC.EPollWait(_epoll, events, _eventsMax, timeoutMs);
        for (int i = 0; i < count; i++)
        {
            byte* entry = events + (i * LibC.EPollEventBytes);
            bool gone = (*(uint*)entry & LibC.EPollError) != 0;
            if (gone && _outputs.Contains(*(int*)(entry + LibC.EPollDataOffset)))
                return false;
        }

        return true;
    }

    public void Dispose() => _ = LibC.Close(_epoll);

    private void Add(int fd, uint what)
    {
        byte* entry = stackalloc byte[LibC.EPollEventBytes];
        *(uint*)entry = what;
        *(long*)(entry + LibC.EPollDataOffset) = fd;
        _ = LibC.EPollControl(_epoll, LibC.EPollAdd, fd, entry);
    }
}
