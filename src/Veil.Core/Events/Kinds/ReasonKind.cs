// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using Veil.Bpf;
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>Why the kernel dropped a packet or reset a connection, by the names in its BTF; not known where it does not say.</summary>
internal readonly struct ReasonKind : IMemberKind, IValueKind
{
    // enum veil_reason_set: the kernel's enumeration, and what its names begin with.
    private static readonly (string Enum, string Prefix)[] s_sets =
        [("", ""), ("skb_drop_reason", "SKB_DROP_REASON_"), ("sk_rst_reason", "SK_RST_REASON_")];

    /// <summary>How many sets there are.</summary>
    public static int Sets => s_sets.Length;

    private static Lazy<byte[]?[][]> s_names = new(static () => [.. s_sets.Select(static set => Names(set.Enum, set.Prefix))]);

    /// <summary>The names of this kernel, by set and number; those of another one, where its events are shown.</summary>
    public static byte[]?[][] AllNames
    {
        get => s_names.Value;
        set => s_names = new Lazy<byte[]?[][]>(value);
    }

    public static string[] Typedefs => ["veil_reason_t"];

    public static ValueFacts Facts { get; } = new("string or null", KeyKind.Word, null);

    public static void Expand(MemberShape member) => member.Add<ReasonKind>(20);

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
    {
        var raw = value.Of(view.Record);
        uint set = BinaryPrimitives.ReadUInt32LittleEndian(raw), number = BinaryPrimitives.ReadUInt32LittleEndian(raw[sizeof(uint)..]);
        if (set == 0 || set >= s_sets.Length)
            return TStyle.Unknown(ref line);
        int start = line.Length;
        TStyle.Quote(ref line);
        var names = s_names.Value[set];
        if (number < names.Length && names[number] is { } name)
            line.Append(name);
        else
            line.Append(number); // of a subsystem with reasons of its own
        TStyle.Quote(ref line);
        return line.Length - start;
    }

    private static byte[]?[] Names(string type, string prefix)
    {
        const int most = 1024;
        if (type.Length == 0 || !KernelFeatures.HasBtf || KernelFeatures.KernelBtf.FindEnum(type) is not { } reasons)
            return [];
        byte[]?[] names = new byte[]?[most];
        foreach (var (name, value) in reasons.Values.Where(static reason => reason.Value is >= 0 and < most))
            names[value] = Encoding.UTF8.GetBytes(name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name);
        return names;
    }
}
