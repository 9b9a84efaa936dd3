// SPDX-License-Identifier: GPL-3.0-only
using System.Collections.ObjectModel;
using System.Text;

namespace Veil.Core.Calls;

/// <summary>A system call: its arguments and its result.</summary>
/// <param name="Name">As in the kernel's tables.</param>
/// <param name="Arguments">In their order.</param>
public sealed record CallSpec(string Name, params IReadOnlyList<Argument> Arguments)
{
    /// <summary>The name, UTF-8.</summary>
    public byte[] NameUtf8 { get; } = Encoding.UTF8.GetBytes(Name);

    /// <summary>What it returns.</summary>
    public CallResult Result { get; init; } = CallResult.Number;

    /// <summary>Writes the result of a call that has not failed, in text; null: <see cref="Result"/> says all.</summary>
    public CallResultWriter? ResultWriter { get; init; }

    /// <summary>The argument that says which of <see cref="Variants"/> it is; of a call that does one thing, -1.</summary>
    public int SelectedBy { get; init; } = -1;

    /// <summary>What it is by the value of that argument; of a value that is not here, this.</summary>
    public IReadOnlyDictionary<uint, CallSpec> Variants { get; init; } = ReadOnlyDictionary<uint, CallSpec>.Empty;

    /// <summary>What is read of pointers in the structures that arguments point to.</summary>
    public IReadOnlyList<NestedReader> Nested { get; init; } = [];

    /// <summary>Is what it fills read also where it has failed?</summary>
    public bool FillsAfterFailure { get; init; }

    /// <summary>Is what a message says known only with the socket that its first argument is?</summary>
    public bool NeedsSocket { get; init; }

    /// <summary>The order in which strace has the arguments that it shows; null: their own.</summary>
    public IReadOnlyList<int>? Order { get; init; }

    /// <summary>So many arguments are in an array, and not in registers.</summary>
    public int Packed { get; init; }

    /// <summary>Writes all arguments in text where strace has another order than the kernel's prototype; null: they are written one by
    /// one.</summary>
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
