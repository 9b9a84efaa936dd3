// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Output;
using Veil.Core.Sinks;

namespace Veil.Core.Pipeline;

/// <summary>One of the outputs of a trace.</summary>
/// <param name="Options">What it shows, and in which form.</param>
/// <param name="Output">Where its lines go.</param>
internal sealed record TraceOutput(OutputOptions Options, IOutput Output);
