// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>The id of a process; all ones is not known.</summary>
internal readonly struct PidKind : IMemberKind, IValueKind
{
    /// <summary>Fits 4194304, the largest there is (PID_MAX_LIMIT).</summary>
    public const int Width = 7;

    public static string[] Typedefs => ["veil_pid_t"];

    public static ValueFacts Facts { get; } = new("number or null", KeyKind.Word, Quantity.Id);

    public static void Expand(MemberShape member) => member.Add<PidKind>(Width, label: Label(member.Name));

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        BinaryPrimitives.ReadUInt32LittleEndian(value.Of(view.Record)) is var pid && pid != uint.MaxValue ? line.Append(pid)
            : TStyle.Unknown(ref line);

    /// <summary>The ids of the header stand in capitals, as ps has them.</summary>
    public static string Label(string name) => (name is "pid" or "tid" or "uid" or "gid" ? name.ToUpperInvariant() : name) + "=";
}
