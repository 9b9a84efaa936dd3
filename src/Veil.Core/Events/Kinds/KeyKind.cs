// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Events.Kinds;

/// <summary>How the kernel finds the key that it counts by: <c>enum veil_count_key</c>.</summary>
internal enum KeyKind
{
    /// <summary>There is only one.</summary>
    None,

    /// <summary>A number of up to 8 bytes.</summary>
    Word,

    /// <summary>More bytes than that.</summary>
    Bytes,

    /// <summary>The error of a result.</summary>
    Errno,

    /// <summary>The table of a system call.</summary>
    Arch,

    /// <summary>A path, in a part of the record.</summary>
    Path,

    /// <summary>An argument of a system call: text, in the part of the record, or a number behind its call.</summary>
    Argument,
}
