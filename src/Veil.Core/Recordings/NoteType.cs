// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Recordings;

/// <summary>What stands among the events of a block. What a note tells holds until another one of the block says otherwise; each block
/// stands alone.</summary>
internal enum NoteType : byte
{
    /// <summary>A user: id (32 bits), name.</summary>
    User = 1,

    /// <summary>A process's current name: thread group id (32 bits), name.</summary>
    Process = 2,

    /// <summary>The container of a cgroup: id (64 bits), and name, pod, pod's namespace, image, id, each behind its length (16 bits).</summary>
    Container = 3,

    /// <summary>The path of a cgroup: id (64 bits), path.</summary>
    Cgroup = 4,

    /// <summary>Nanoseconds between the time since boot and the wall clock (64 bits).</summary>
    Clock = 5,

    /// <summary>Why a path refused the next event.</summary>
    Why = 6,

    /// <summary>Events that were lost: how many (64 bits), when (64 bits), module and cause each behind its length (16 bits), then for each
    /// user the id (32 bits) and how many of them (64 bits).</summary>
    Lost = 7,

    /// <summary>What a process executes: thread group id (32 bits), path.</summary>
    Executable = 8,

    /// <summary>A stack: id (64 bits), thread group id, kind and number of frames (32 bits each), then for each frame address and offset (64 bits
    /// each), and symbol, file, build id and source, each behind its length (16 bits), all ones for none.</summary>
    Stack = 9,

    /// <summary>What a trace with a budget told: which (8 bits), when (64 bits), and what (see <see cref="BudgetNote"/>).</summary>
    Budget = 10,
}
