// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Why;

/// <summary>A path that was seen on a CPU: the stack of samples.</summary>
/// <param name="Pid">The process.</param>
/// <param name="State">On which side it ran: <see cref="WhyState.User"/> or <see cref="WhyState.Kernel"/>.</param>
/// <param name="Call">The call that it was in; empty: none.</param>
/// <param name="IsFault">The kernel brought in a page of its memory.</param>
/// <param name="Frames">The functions in user space, the innermost first, with the file of each.</param>
/// <param name="Samples">How often.</param>
public sealed record WhyFunction(
    uint Pid, WhyState State, string Call, bool IsFault, IReadOnlyList<(string Name, string? File)> Frames, ulong Samples);
