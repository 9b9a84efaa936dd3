// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>What a call returned; not known where it never did, or only to be made again (<see cref="Errno.IsRestart"/>).</summary>
internal readonly struct ReturnKind : IMemberKind, IValueKind
{
    /// <summary>The call or the wait goes on (<c>VEIL_RET_RUNNING</c>).</summary>
    public const long Running = long.MinValue + 1;

    public static string[] Typedefs => ["veil_ret_t"];

    public static ValueFacts Facts { get; } = new("number or null", KeyKind.Word, Quantity.Signed);

    public static void Expand(MemberShape member)
    {
        member.Field<ReturnKind>(member.Name);
        member.Column<Readable>(member.Name, 14, new() { Title = "RESULT", Width = 10, WidthMin = 8, ShowsUnknown = true });
        ErrnoKind.Expand(member, "errno", new() { IsHidden = true });
    }

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        value.Signed(view.Record) is var ret && HasResult(ret) ? line.Append(ret) : TStyle.Unknown(ref line);

    // Of a call that ended in the middle of a restart only the kernel saw a result, as strace has it: ? ERESTARTSYS.
    private static bool HasResult(long ret) => ret >= 0 || (!ErrnoKind.HasNone(ret) && !Errno.IsRestart(-ret));

    private readonly struct Readable : IColumnForm
    {
        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
        {
            long ret = value.Signed(view.Record);
            // Nobody counts that far: it is an address (mmap, brk).
            if (ret > uint.MaxValue || (ret < 0 && ErrnoKind.Of(ret) == 0 && HasResult(ret)))
                return HexKind.Write<TStyle>(ref line, value, ref view);
            return ReturnKind.Write<TStyle>(ref line, value, ref view);
        }

        public static EventValue OnScreen(EventValue value) => value.As<Result>();
    }

    // What a call returned, or its error's name.
    private readonly struct Result : IColumnForm
    {
        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view)
            where TStyle : struct, IValueStyle =>
            ErrnoKind.Of(value.Signed(view.Record)) == 0 ? Readable.Write<TStyle>(ref line, value, ref view)
                : ErrnoKind.Write<TStyle>(ref line, value, ref view);
    }
}
