// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Stacks;

/// <summary>How the callers of a function in user space are found.</summary>
public enum StackUnwind
{
    /// <summary>The kernel follows frame pointers.</summary>
    FramePointers,

    /// <summary>By the frame tables of files, from a copy of the stack.</summary>
    Tables,

    /// <summary>The same, and where the copy ends by frame pointers.</summary>
    Both,
}
