// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Calls;
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>A system call with its result and its arguments.</summary>
internal readonly struct CallKind : IMemberKind, IValueKind
{
    // 32 strings, or as many bytes as a record can have in octal, and names.
    internal const int LineBytesMax = 128 * 1024;

    public static string[] Typedefs => [CallView.TypeName];

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
        member.Field<PathOfCall<First>>("path");
        member.Field<PathOfCall<Second>>("path2");
        member.Field<Descriptors>("fds");
        member.Field<Names<Unread>>("args_unread");
        member.Field<Names<Late>>("args_late");
        member.Field<Names<Truncated>>("args_truncated");
        member.Column<AsText>("call", 0, new() { IsWide = true, Wraps = true }, "");
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
        if (value.Is<PathKind>() || value.Is<ArgvKind>())
            yield return value;
        else if (value.Is<CallKind>())
            yield return new EventValue<PathKind>(value.Offset + CallView.PartOffset, EventPart.SizeBytes);
    }

    private interface IPathIndex
    {
        static abstract int Index { get; }
    }

    private readonly struct First : IPathIndex
    {
        public static int Index => 0;
    }

    private readonly struct Second : IPathIndex
    {
        public static int Index => 1;
    }

    // A path as the call was given it.
    private readonly struct PathOfCall<TIndex> : IValueKind where TIndex : struct, IPathIndex
    {
        public static ValueFacts Facts { get; } = new("string or null", null, null);

        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct,
        IValueStyle =>
            CallFacts.TryGetPath(new CallView(view.Record, value.Offset), TIndex.Index, out var path) ? TStyle.Text(ref line, path)
                : TStyle.Unknown(ref line);

        public static int BytesMax(EventValue value) => Escaping.BytesMax(EventPart.LengthMax);

        public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view)
        {
            _ = CallFacts.TryGetPath(new CallView(view.Record, value.Offset), TIndex.Index, out var path);
            return path;
        }
    }

    private readonly struct Descriptors : IValueKind
    {
        public static ValueFacts Facts { get; } = new("object", null, null);

        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
        {
            int start = line.Length;
            line.Append((byte)'{');
            CallFacts.WriteDescriptors(ref line, new CallView(view.Record, value.Offset), CallOptions.CurrentJson);
            line.Append((byte)'}');
            return line.Length - start;
        }

        public static int BytesMax(EventValue value) => LineBytesMax;
    }

    private interface IMark
    {
        static abstract CallChunkMarks Mark { get; }
    }

    private readonly struct Unread : IMark
    {
        public static CallChunkMarks Mark => CallChunkMarks.Unread;
    }

    private readonly struct Late : IMark
    {
        public static CallChunkMarks Mark => CallChunkMarks.Late;
    }

    private readonly struct Truncated : IMark
    {
        public static CallChunkMarks Mark => CallChunkMarks.Truncated;
    }

    // The names of arguments that were read in some way.
    private readonly struct Names<TMark> : IValueKind where TMark : struct, IMark
    {
        public static ValueFacts Facts { get; } = new("array", null, null);

        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
        {
            bool isJson = typeof(TStyle) == typeof(JsonStyle);
            int start = line.Length;
            if (isJson)
                line.Append((byte)'[');
            CallFacts.WriteNames(
                ref line, new CallView(view.Record, value.Offset), isJson ? CallOptions.CurrentJson
                : CallOptions.Current, TMark.Mark, isJson);
            if (isJson)
                line.Append((byte)']');
            return line.Length - start;
        }

        public static int BytesMax(EventValue value) => LineBytesMax;
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
