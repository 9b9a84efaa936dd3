// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Unwinding;

/// <summary>Why a stack ends where it does.</summary>
internal enum UnwindEnd
{
    /// <summary>The function has no caller: a program's or a thread's first.</summary>
    Outermost,

    /// <summary>As many frames as there may be.</summary>
    Full,

    /// <summary>What comes next was not copied.</summary>
    BeyondCopy,

    /// <summary>It would go on in no code, or not upwards; or no table and no frame pointer says how.</summary>
    Unknown,
}
