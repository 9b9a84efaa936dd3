// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Unwinding;

/// <summary>How to get from a function's frame to its caller's, at one place of its code.</summary>
internal sealed class FrameRow
{
    private readonly FrameRule[] _rules;
    private readonly long[] _values;
    private readonly ReadOnlyMemory<byte>[] _expressions;

    /// <summary>With every register as it was.</summary>
    /// <param name="registers">How many there are.</param>
    public FrameRow(int registers) =>
        (_rules, _values, _expressions) = (new FrameRule[registers], new long[registers], new ReadOnlyMemory<byte>[registers]);

    private FrameRow(FrameRow other)
    {
        (_rules, _values, _expressions) = ([.. other._rules], [.. other._values], [.. other._expressions]);
        (AddressRegister, AddressOffset, AddressExpression) = (other.AddressRegister, other.AddressOffset, other.AddressExpression);
        (ReturnRegister, IsSignal) = (other.ReturnRegister, other.IsSignal);
    }

    /// <summary>The memory that one of so many registers takes.</summary>
    public static int SizeBytes(int registers) => 128 + (registers * (sizeof(byte) + sizeof(long) + 16));

    /// <summary>The register that the frame's address (CFA) is told by; negative where an expression tells it.</summary>
    public int AddressRegister { get; set; } = -1;

    /// <summary>So far from that register.</summary>
    public long AddressOffset { get; set; }

    /// <summary>The expression.</summary>
    public ReadOnlyMemory<byte> AddressExpression { get; set; }

    /// <summary>The register that stands for the address to return to.</summary>
    public int ReturnRegister { get; set; }

    /// <summary>Is it the frame that the kernel made for a signal's handler? Its caller was interrupted, and has called nothing.</summary>
    public bool IsSignal { get; set; }

    /// <summary>Is it known where the frame is?</summary>
    public bool IsUsable => AddressRegister >= 0 || !AddressExpression.IsEmpty;

    /// <summary>Another one with the same rules.</summary>
    public FrameRow Copy() => new(this);

    /// <summary>The rule of a register.</summary>
    public (FrameRule Rule, long Value, ReadOnlyMemory<byte> Expression) Of(int register) =>
        (_rules[register], _values[register], _expressions[register]);

    /// <summary>Sets the rule of a register; of those that do not matter here nothing is kept.</summary>
    public void Set(ulong register, FrameRule rule, long value = 0, ReadOnlyMemory<byte> expression = default)
    {
        if (register >= (ulong)_rules.Length)
            return;
        (_rules[register], _values[register], _expressions[register]) = (rule, value, expression);
    }

    /// <summary>Sets the rule of a register to that of another row.</summary>
    public void Restore(ulong register, FrameRow initial)
    {
        if (register < (ulong)_rules.Length)
            (_rules[register], _values[register], _expressions[register]) = initial.Of((int)register);
    }
}
