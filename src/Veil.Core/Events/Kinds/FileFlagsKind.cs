// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Kernel;
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>The flags that a call on a file was given, by their names; not known where it takes none.</summary>
internal readonly struct FileFlagsKind : IMemberKind, IValueKind
{
    // enum veil_flag_set
    private static readonly FlagSet[] s_sets =
        [default, FlagSets.Open, FlagSets.AtFlags, FlagSets.AtStatx, FlagSets.RenameFlags, FlagSets.MmapFlags, FlagSets.SyncFileRangeFlags];

    private const uint StatxSet = 3, StatxSyncMask = 0x6000; // AT_STATX_SYNC_TYPE, whose 0 has a name

    public static string[] Typedefs => ["veil_file_flags_t"];

    public static ValueFacts Facts { get; } = new("string or null", KeyKind.Word, null);

    public static void Expand(MemberShape member)
    {
        member.Field<FileFlagsKind>(member.Name);
        member.Column<IfAny>(member.Name, 0, new() { Rank = 2, IsRare = true });
    }

    public static int BytesMax(EventValue value) => 1024;

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
    {
        var raw = value.Of(view.Record);
        uint set = BinaryPrimitives.ReadUInt32LittleEndian(raw);
        if (set == 0 || set >= s_sets.Length)
            return TStyle.Unknown(ref line);
        int start = line.Length;
        TStyle.Quote(ref line);
        uint word = BinaryPrimitives.ReadUInt32LittleEndian(raw[sizeof(uint)..]);
        bool isPlainStatx = set == StatxSet && (word & StatxSyncMask) == 0;
        if (isPlainStatx)
            line.Append(word == 0 ? "AT_STATX_SYNC_AS_STAT"u8 : "AT_STATX_SYNC_AS_STAT|"u8);
        if (!isPlainStatx || word != 0)
            s_sets[set].Format(ref line, word);
        TStyle.Quote(ref line);
        return line.Length - start;
    }

    // Left out where the call has none.
    private readonly struct IfAny : IColumnForm
    {
        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct,
        IValueStyle =>
            BinaryPrimitives.ReadUInt32LittleEndian(value.Of(view.Record)) == 0 ? 0
                : FileFlagsKind.Write<TStyle>(ref line, value, ref view);

        public static int BytesMax(EventValue value) => FileFlagsKind.BytesMax(value);
    }
}
