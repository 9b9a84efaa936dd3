// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Sources;

/// <summary>The rings of a source at one moment.</summary>
/// <param name="Bytes">Memory of all of them.</param>
/// <param name="Count">How many there are.</param>
/// <param name="PendingBytes">What of it waits to be read.</param>
public readonly record struct RingUse(int Bytes, int Count, long PendingBytes);
