// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Filters;

/// <summary>The value of a filter map, and the mode of a dimension: <c>VEIL_ALLOW</c>, <c>VEIL_DENY</c>.</summary>
[Flags]
public enum FilterBits : byte
{
    /// <summary>Neither.</summary>
    None = 0,

    /// <summary>Allowed.</summary>
    Allow = 1,

    /// <summary>Denied; wins.</summary>
    Deny = 2,
}
