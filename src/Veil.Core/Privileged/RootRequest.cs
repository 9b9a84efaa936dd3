// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Privileged;

/// <summary>All that the helper process can be asked for. What one with a path tells is who may go there, and nothing of what is in
/// files, but for programs and libraries.</summary>
internal enum RootRequest : uint
{
    /// <summary>Is it there?</summary>
    Ready = 1,

    /// <summary>A descriptor of <c>/proc/PID/comm</c>.</summary>
    OpenProcessName = 2,

    /// <summary>Removal of the control socket that it was started with.</summary>
    RemoveSocket = 3,

    /// <summary>Which component of a path refused a call: <see cref="PathQuestion"/>.</summary>
    ExplainPath = 4,

    /// <summary>The container of a cgroup, by the files of its runtime.</summary>
    FindContainer = 5,

    /// <summary>A descriptor of the file of the recording with that number, which is made.</summary>
    MakeRecording = 6,

    /// <summary>Removal of the file of the recording with that number, which it has made.</summary>
    RemoveRecording = 7,

    /// <summary>A descriptor of a file beside the recording with a time in its name, which is made.</summary>
    MakeDump = 8,

    /// <summary>A descriptor of <c>/proc/PID/maps</c>.</summary>
    OpenMaps = 9,

    /// <summary>A descriptor of a program or library that a process has mapped, by the range of addresses.</summary>
    OpenMapped = 10,

    /// <summary>A descriptor of a program, library or file of symbols, by its path in a process's root folder; process 0 is the
    /// helper.</summary>
    OpenProgram = 11,

    /// <summary>A descriptor of <c>/tmp/perf-PID.map</c> of a process.</summary>
    OpenJitMap = 12,

    /// <summary>A descriptor of the <c>jit-PID.dump</c> of a process, by its path there.</summary>
    OpenJitDump = 13,

    /// <summary>That a .NET process be asked to write <c>/tmp/perf-PID.map</c>.</summary>
    AskForJitMap = 14,
}
