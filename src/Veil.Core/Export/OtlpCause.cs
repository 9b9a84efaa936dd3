// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Export;

/// <summary>Why the receiver did not get events, each a cause of loss of <c>otlp</c>.</summary>
internal enum OtlpCause
{
    /// <summary>They came faster than they can be packed.</summary>
    TooFast,

    /// <summary>What waits for the receiver fills the buffer.</summary>
    BufferFull,

    /// <summary>The receiver answered that it does not take them.</summary>
    Refused,

    /// <summary>The trace ended before they were sent.</summary>
    NotSent,
}
