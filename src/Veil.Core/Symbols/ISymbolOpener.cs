// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Symbols;

/// <summary>Opens, with more rights than ours, what names are read from. Each answer is a descriptor, or -1.</summary>
public interface ISymbolOpener
{
    /// <summary><c>/proc/PID/maps</c>.</summary>
    int OpenMaps(int pid);

    /// <summary>The program or library that a process has mapped to a range of addresses (<c>START-END</c> in hexadecimal).</summary>
    int OpenMapped(int pid, string range);

    /// <summary>A program, library or file of symbols, by its path in a process's root folder; process 0 is the helper's own.</summary>
    int OpenProgram(int pid, string path);

    /// <summary><c>/tmp/perf-PID.map</c> of a process.</summary>
    int OpenJitMap(int pid);
}
