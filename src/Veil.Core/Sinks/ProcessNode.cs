// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Sinks;

/// <summary>A process of the tree.</summary>
/// <param name="pid">Its id.</param>
/// <param name="parent">Its parent's id, where it was first seen.</param>
/// <param name="start">When it was first seen, nanoseconds since boot.</param>
internal sealed class ProcessNode(uint pid, uint parent, ulong start)
{
    public uint Pid { get; } = pid;

    public uint Parent { get; } = parent;

    /// <summary>When it began, or as long as that is not known, was first seen.</summary>
    public ulong Start { get; set; } = start;

    /// <summary>Has it been shown to end?</summary>
    public bool HasEnded { get; set; }

    /// <summary>The signal that ended it, or 0.</summary>
    public uint Signal { get; set; }

    public uint ExitCode { get; set; }

    public bool CoreDumped { get; set; }

    /// <summary>Nanoseconds of its life; all ones is not known.</summary>
    public ulong Duration { get; set; }

    /// <summary>Nanoseconds on a CPU.</summary>
    public ulong Cpu { get; set; }

    /// <summary>Did it live then, as far as is known?</summary>
    public bool LivesAt(ulong time) => !HasEnded || Start + Duration >= time;

    /// <summary>Did the kernel kill it for memory?</summary>
    public bool IsOomVictim { get; set; }

    /// <summary>What it was called, where it has executed nothing.</summary>
    public byte[] Name { get; set; } = [];

    /// <summary>What it has executed, one after another, as a shell would take it.</summary>
    public List<byte[]> Executed { get; } = [];

    /// <summary>What it could not execute.</summary>
    public List<RefusedProgram> Refused { get; } = [];

    public List<ProcessNode> Children { get; } = [];
}
