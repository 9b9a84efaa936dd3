// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bench.Processes;

/// <summary>A measurement that could not be made, with the reason that its row will show.</summary>
internal sealed class BenchException(string reason) : Exception(reason);
