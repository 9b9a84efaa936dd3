// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Privileged;

/// <summary>What a call needs of the file that its path leads to.</summary>
[Flags]
internal enum PathNeed
{
    /// <summary>Only to get there.</summary>
    None = 0,

    /// <summary>To execute it.</summary>
    Execute = 1,

    /// <summary>To write to it.</summary>
    Write = 2,

    /// <summary>To read it.</summary>
    Read = 4,

    /// <summary>To make, rename or remove its name: of its folder.</summary>
    Name = 8,

    /// <summary>To own it.</summary>
    Own = 16,

    /// <summary>Nothing: it need not exist.</summary>
    Nothing = 32,
}
