// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Formats;

/// <summary>A thread's turn on a CPU, of which both switches were recorded.</summary>
/// <param name="Cpu">The CPU.</param>
/// <param name="Pid">The process; 0 of the idle task.</param>
/// <param name="Tid">The thread.</param>
/// <param name="Name">Its name.</param>
/// <param name="StartNs">When it began, in nanoseconds since boot.</param>
/// <param name="EndNs">When it ended.</param>
/// <param name="Priority">The thread's, when it began.</param>
internal sealed record ProcessorRun(uint Cpu, uint Pid, uint Tid, byte[] Name, ulong StartNs, ulong EndNs, long Priority);
