// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf;

/// <summary>What setting an element expects to find; see bpf(2).</summary>
public enum BpfUpdateMode
{
    /// <summary>Create or replace.</summary>
    Any = 0,

    /// <summary>Create; an existing element is an error (EEXIST).</summary>
    NoExist = 1,

    /// <summary>Replace; a missing element is an error (ENOENT).</summary>
    Exist = 2,
}
