// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf;

/// <summary>How loud a message of libbpf is (<c>enum libbpf_print_level</c>).</summary>
public enum LibbpfLogLevel
{
    /// <summary>Something went wrong; the operation usually returns an error as well.</summary>
    Warning = 0,

    /// <summary>Progress that a user may care about.</summary>
    Information = 1,

    /// <summary>Every relocation and map: thousands of lines an object.</summary>
    Debug = 2,
}
