// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Privileged;

/// <summary>Why a component of a path refused a call.</summary>
internal enum PathRefusalKind
{
    /// <summary>Nothing is to be seen: it has changed, or it is not the path.</summary>
    None,

    /// <summary>There is no such name.</summary>
    Missing,

    /// <summary>A link leads to nothing.</summary>
    BrokenLink,

    /// <summary>It is no folder, and has something behind it.</summary>
    NotFolder,

    /// <summary>Its permissions.</summary>
    Mode,

    /// <summary>Its mount is read-only.</summary>
    ReadOnly,

    /// <summary>Links lead to each other.</summary>
    LinkCircle,

    /// <summary>A link, where none was allowed.</summary>
    Link,

    /// <summary>Nobody may change it.</summary>
    Immutable,

    /// <summary>Nobody may change what is there.</summary>
    AppendOnly,

    /// <summary>In a sticky folder it is another user's.</summary>
    Sticky,

    /// <summary>It is another user's.</summary>
    Owner,

    /// <summary>A script's interpreter does not exist.</summary>
    Interpreter,
}
