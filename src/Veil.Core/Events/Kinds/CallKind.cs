// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Calls;
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>A system call with its result and its arguments.</summary>
internal readonly struct CallKind : IMemberKind, IValueKind
{
    // 32 strings, or as many bytes as a record can have in octal, and names.
    private const int LineBytesMax = 128 * 1024;

    public static string[] Typedefs => ["veil_call_t"];

    public static ValueFacts Facts { get; } = new("object", null, null);

    public static void Expand(MemberShape member)
    {
        int offset = member.Offset, size = member.Size;
        member.Size = CallView.RetOffset;
        SyscallKind.AddFields(member, "syscall");
        SyscallKind.AddArch(member);
        member.Offset = offset + CallView.RetOffset;
        member.Size = sizeof(long);
        member.Field<ReturnKind>("ret");
        ErrnoKind.AddFields(member, "errno");
        member.Offset = offset;
        member.Size = size;
        member.Field<CallKind>("args");
        member.Column<AsText>("call", 0, new() { IsWide = true }, "");
    }

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
    {
        int start = line.Length;
        if (typeof(TStyle) == typeof(JsonStyle))
            CallText.WriteJson(ref line, new CallView(view.Record, value.Offset), CallOptions.CurrentJson);
        else
            CallText.WriteArguments(ref line, new CallView(view.Record, value.Offset), CallOptions.Current);
        return line.Length - start;
    }

    public static int BytesMax(EventValue value) => LineBytesMax;

    /// <summary>Where a value says that its part is; of one that has none nothing.</summary>
    public static IEnumerable<EventValue> PartOf(EventValue value)
    {
        if (value.Is<PathKind>())
            yield return value;
        else if (value.Is<CallKind>())
            yield return new EventValue<PathKind>(value.Offset + CallView.PartOffset, EventPart.SizeBytes);
    }

    // openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 3
    private readonly struct AsText : IColumnForm
    {
        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
        {
            int start = line.Length;
            CallText.Write(ref line, new CallView(view.Record, value.Offset), CallOptions.Current);
            return line.Length - start;
        }

        public static int BytesMax(EventValue value) => LineBytesMax;
    }
}
