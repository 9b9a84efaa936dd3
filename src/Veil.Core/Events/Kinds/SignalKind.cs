// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Kernel;
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>A signal by its name, and the code that says why it came: <c>SIGSEGV</c>, <c>SEGV_MAPERR</c>.</summary>
internal readonly struct SignalKind : IMemberKind, IValueKind
{
    public static string[] Typedefs => ["veil_signal_t"];

    public static ValueFacts Facts { get; } = new("string", KeyKind.Word, null);

    public static void Expand(MemberShape member)
    {
        int whole = member.Size;
        // Of the number alone: counted by the signal, its codes are one.
        member.Size = sizeof(int);
        member.Add<SignalKind>(9, new() { Rank = ColumnHint.Kept });
        member.Field<Number>(member.Name + "_nr");
        member.Size = whole;
        member.Field<Code>("code");
        member.Column<Code>("code", 13, new() { Rank = 40 });
    }

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        Write<TStyle>(ref line, FlagSets.Signals.NameOf(value.Unsigned(view.Record)), value.Signed(view.Record));

    private static int Write<TStyle>(ref LineWriter line, ReadOnlySpan<byte> name, long number) where TStyle : struct, IValueStyle
    {
        int start = line.Length;
        TStyle.Quote(ref line);
        if (name.IsEmpty)
            line.Append(number);
        else
            line.Append(name);
        TStyle.Quote(ref line);
        return line.Length - start;
    }

    private readonly struct Number : IValueKind
    {
        public static ValueFacts Facts { get; } = new("number", KeyKind.Word, null);

        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view)
            where TStyle : struct, IValueStyle => line.Append(value.Unsigned(view.Record));
    }

    // struct veil_signal
    private readonly struct Code : IValueKind
    {
        public static ValueFacts Facts { get; } = new("string", KeyKind.Word, null);

        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
        {
            var signal = value.Of(view.Record);
            int code = BinaryPrimitives.ReadInt32LittleEndian(signal[sizeof(int)..]);
            return SignalKind.Write<TStyle>(ref line, SignalNames.CodeUtf8(BinaryPrimitives.ReadInt32LittleEndian(signal), code), code);
        }
    }
}
