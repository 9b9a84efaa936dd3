// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Core.Interop;

/// <summary>Waits until every BPF program that was running has ended: those that read a word before it was changed.</summary>
internal static class GracePeriod
{
    private const int RefusedMs = 10;

    /// <summary>
    /// membarrier(2) over all threads of the machine is a grace period of RCU, and programs run inside one. Where it is refused
    /// (nohz_full), a time that no program takes.
    /// </summary>
    public static void Wait()
    {
        const int global = 1; // MEMBARRIER_CMD_GLOBAL
        nint number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 283 : 324;
        if (LibC.Syscall(number, global, 0, 0, 0, 0) != 0)
            Thread.Sleep(RefusedMs);
    }
}
