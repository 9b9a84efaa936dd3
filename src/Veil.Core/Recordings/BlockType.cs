// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Recordings;

/// <summary>What a block of a recording holds. A reader passes over those that it does not know.</summary>
internal enum BlockType : uint
{
    /// <summary>What was recorded and how to read it: always the first.</summary>
    Description = 1,

    /// <summary>The machine when the recording began.</summary>
    Snapshot = 2,

    /// <summary>Events, losses and names in their order.</summary>
    Events = 3,

    /// <summary>The recording was ended and nothing is missing.</summary>
    End = 4,
}
