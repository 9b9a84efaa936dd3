// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Stacks;
using Veil.Core.Text;

namespace Veil.Core.Counting;

/// <summary>A key of counts as tools for flame graphs read it: names from the outermost, with <c>;</c> between them. The number follows.</summary>
internal static class FoldedLine
{
    /// <summary>Of a key that the kernel counted by: the fields that are no stack first, then the frames of user space, then those of the
    /// kernel.</summary>
    public static string Of(CountPlan plan, byte[] key)
    {
        var text = new StringBuilder();
        byte[] room = RoomFor(plan);
        foreach (var one in InOrder(plan.Keys))
        {
            var view = new EventView { Record = plan.RecordOf(one, key), Schema = plan.Schema };
            Append(text, one, room, ref view);
        }

        return text.Length == 0 ? "?" : text.ToString();
    }

    /// <summary>The same of an event.</summary>
    public static string Of(CountPlan plan, scoped ref EventView view)
    {
        var text = new StringBuilder();
        byte[] room = RoomFor(plan);
        foreach (var one in InOrder(plan.Keys))
            Append(text, one, room, ref view);
        return text.Length == 0 ? "?" : text.ToString();
    }

    private static byte[] RoomFor(CountPlan plan) => new byte[plan.Keys.Max(static one => one.Field.Value.BytesMax) + EventPart.LengthMax];

    /// <summary>The keys in the order of their frames.</summary>
    public static IEnumerable<CountKey> InOrder(IEnumerable<CountKey> keys) => keys.OrderBy(RankOf);

    /// <summary>The frames of a key, the outermost first; of a stack that is not known none.</summary>
    /// <param name="key">The key.</param>
    /// <param name="room">Room for its text.</param>
    /// <param name="view">The event.</param>
    public static IEnumerable<string> FramesOf(CountKey key, byte[] room, scoped ref EventView view)
    {
        if (key.Field.Value.Is<StackKind>())
            return StackKind.Find(key.Field.Value, ref view) is { } stack
                ? Enumerable.Reverse(Encoding.UTF8.GetString(stack.Folded(StackTable.Own.Names)).Split(';')) : [];
        var line = new LineWriter(room);
        key.Field.Value.InTable.WriteText(ref line, ref view);
        return [Encoding.UTF8.GetString(line.Written).Replace(';', ':')];
    }

    private static void Append(StringBuilder text, CountKey key, byte[] room, scoped ref EventView view)
    {
        foreach (string frame in FramesOf(key, room, ref view))
            text.Append(text.Length == 0 ? "" : ";").Append(frame);
    }

    private static int RankOf(CountKey key) => !key.Field.Value.Is<StackKind>() ? 0
        : key.Field.Name.EndsWith(StackFields.User, StringComparison.Ordinal) ? 1 : 2;
}
