// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Sinks;

/// <summary>A program that a process could not execute.</summary>
/// <param name="Text">The file with its arguments.</param>
/// <param name="Argv">The arguments alone: the same ones are tried with several files.</param>
/// <param name="Errno">Why, of the last try.</param>
/// <param name="Tries">How often.</param>
internal sealed record RefusedProgram(byte[] Text, byte[] Argv, int Errno, int Tries);
