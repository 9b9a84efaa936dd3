// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Core.Why;

/// <summary>What is under way: <c>struct why_task</c> of <c>why.bpf.c</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct WhyTask
{
    /// <summary>Since when, CLOCK_MONOTONIC.</summary>
    public readonly ulong SinceNs;

    /// <summary>What.</summary>
    public readonly WhyKey Key;

    private readonly int _number;
    private readonly uint _arch;
    private readonly ulong _first;
    private readonly ulong _second;
}
