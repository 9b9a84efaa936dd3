// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Why;

/// <summary>A function that was seen on a CPU, as the innermost one.</summary>
/// <param name="Name">Its name, or its place in the file.</param>
/// <param name="File">The program or library; nothing: not known.</param>
/// <param name="Samples">How often.</param>
/// <param name="Ns">Its part of the time.</param>
/// <param name="Callers">The functions on the way to it that was taken most, the nearest first.</param>
public sealed record WhyHot(string Name, string? File, ulong Samples, ulong Ns, IReadOnlyList<string> Callers);
