// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Unwinding;

/// <summary>Where the caller's value of a register is: <c>DW_CFA_…</c>.</summary>
internal enum FrameRule : byte
{
    /// <summary>In the register.</summary>
    Same,

    /// <summary>Nowhere.</summary>
    Undefined,

    /// <summary>In memory, so far from the frame's address.</summary>
    AtOffset,

    /// <summary>It is the frame's address and so much.</summary>
    Offset,

    /// <summary>In another register.</summary>
    Register,

    /// <summary>In memory, where an expression says.</summary>
    AtExpression,

    /// <summary>It is what an expression gives.</summary>
    Expression,
}
