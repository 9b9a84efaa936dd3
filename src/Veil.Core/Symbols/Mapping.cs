// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Symbols;

/// <summary>A range of a process's addresses that holds code.</summary>
/// <param name="Start">The first address.</param>
/// <param name="End">The address behind the last.</param>
/// <param name="Offset">Where in the file it begins.</param>
/// <param name="TimeNs">From when on it was there.</param>
/// <param name="File">What it maps.</param>
internal sealed record Mapping(ulong Start, ulong End, ulong Offset, long TimeNs, ProgramFile File)
{
    /// <summary>Is an address in it?</summary>
    public bool Has(ulong address) => address >= Start && address < End;
}
