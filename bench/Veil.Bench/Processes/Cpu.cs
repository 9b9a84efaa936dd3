// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Bench.Processes;

/// <summary>The two cores of every measurement.</summary>
internal static class Cpu
{
    internal const int Tracer = 0;
    internal const int Workload = 1;

    /// <summary>Pins the calling thread; a child that it starts inherits that, and the workload then moves itself away.</summary>
    internal static unsafe void PinThisThreadToTracerCore()
    {
        ulong mask = 1UL << Tracer;
        if (Native.SchedSetAffinity(0, sizeof(ulong), &mask) != 0)
            throw new BenchException($"pinning to CPU {Tracer}: {Marshal.GetLastPInvokeErrorMessage()}");
    }
}
