// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Veil.Core.Kernel;
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>A system call: its number, which means nothing without the table that it indexes. The name is <c>syscall_N</c> where the table
/// has none.</summary>
internal readonly struct SyscallKind : IMemberKind, IValueKind
{
    public static string[] Typedefs => ["veil_syscall_t"];

    public static ValueFacts Facts { get; } = new("string", KeyKind.Word, null);

    public static void Expand(MemberShape member)
    {
        AddFields(member, member.Name);
        member.Column<NameAndNumber>(member.Name, 22, new() { WidthMin = 15 });
        AddArch(member);
    }

    /// <summary>Adds its fields.</summary>
    public static void AddFields(MemberShape member, string name)
    {
        member.Field<SyscallKind>(name);
        member.Field<Number>(name + "_nr");
        member.Field<Arch>("arch");
    }

    /// <summary>Adds the column of a foreign table.</summary>
    public static void AddArch(MemberShape member) => member.Column<ForeignArch>("arch", 0, ColumnHint.Remark, "");

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
    {
        int start = line.Length;
        TStyle.Quote(ref line);
        AppendName(ref line, value.Of(view.Record));
        TStyle.Quote(ref line);
        return line.Length - start;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AppendName(ref LineWriter line, ReadOnlySpan<byte> syscall)
    {
        int number = NumberOf(syscall);
        var name = TableOf(syscall).NameUtf8(number);
        if (name.IsEmpty)
            AppendUnnamed(ref line, number);
        else
            line.Append(name);
    }

    private static void AppendUnnamed(ref LineWriter line, int number)
    {
        line.Append("syscall_"u8);
        line.Append((long)number);
    }

    // struct veil_syscall
    private static int NumberOf(ReadOnlySpan<byte> syscall) => BinaryPrimitives.ReadInt32LittleEndian(syscall);

    private static SyscallTable TableOf(ReadOnlySpan<byte> syscall) => SyscallTable.For((SyscallArch)syscall[4]);

    private readonly struct Number : IValueKind
    {
        public static ValueFacts Facts { get; } = new("number", KeyKind.Word, null);

        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view)
            where TStyle : struct, IValueStyle =>
            line.Append((long)NumberOf(value.Of(view.Record)));
    }

    private readonly struct Arch : IValueKind
    {
        public static ValueFacts Facts { get; } = new("string", KeyKind.Arch, null);

        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
        {
            int start = line.Length;
            TStyle.Quote(ref line);
            line.Append(TableOf(value.Of(view.Record)).ArchNameUtf8);
            TStyle.Quote(ref line);
            return line.Length - start;
        }
    }

    // openat(257)
    private readonly struct NameAndNumber : IColumnForm
    {
        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
        {
            int start = line.Length;
            var syscall = value.Of(view.Record);
            AppendName(ref line, syscall);
            line.Append((byte)'(');
            line.Append((long)NumberOf(syscall));
            line.Append((byte)')');
            return line.Length - start;
        }

        public static EventValue OnScreen(EventValue value) => value.As<SyscallKind>();
    }

    // Nothing where the call is of the machine's own table.
    private readonly struct ForeignArch : IColumnForm
    {
        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
        {
            var arch = (SyscallArch)value.Of(view.Record)[4];
            return arch == SyscallTable.Native ? 0 : line.Append("arch="u8) + line.Append(SyscallTable.For(arch).ArchNameUtf8);
        }
    }
}
