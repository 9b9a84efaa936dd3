// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Calls;

/// <summary>A system call: its arguments and its result.</summary>
/// <param name="Name">As in the kernel's tables.</param>
/// <param name="Arguments">In their order.</param>
public sealed record CallSpec(string Name, params IReadOnlyList<Argument> Arguments)
{
    /// <summary>What it returns.</summary>
    public CallResult Result { get; init; } = CallResult.Number;

    /// <summary>Writes the result of a call that has not failed, in text; null: <see cref="Result"/> says all.</summary>
    public CallResultWriter? ResultWriter { get; init; }

    /// <summary>Writes all arguments in text where strace has another order than the kernel's prototype; null: they are written one by one.</summary>
    public CallResultWriter? TextWriter { get; init; }
}

/// <summary>Writes of a whole call: what it returned, and what strace says of it in brackets; or its arguments.</summary>
public delegate void CallResultWriter(ref CallWriter writer, in CallView call);

/// <summary>What a call returns where it has not failed.</summary>
public enum CallResult
{
    /// <summary>A number.</summary>
    Number,

    /// <summary>A descriptor.</summary>
    Descriptor,

    /// <summary>A word or an address, in hexadecimal.</summary>
    Hex,

    /// <summary>Permissions, in octal.</summary>
    Octal,

    /// <summary>Nothing: it does not return.</summary>
    Never,
}
