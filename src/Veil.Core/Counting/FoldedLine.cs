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
    /// <summary>The fields that are no stack first, then the frames of user space, then those of the kernel.</summary>
    public static string Of(CountPlan plan, byte[] key)
    {
        var text = new StringBuilder();
        byte[] room = new byte[plan.Keys.Max(static one => one.Field.Value.BytesMax) + EventPart.LengthMax];
        foreach (var one in plan.Keys.OrderBy(RankOf))
        {
            var view = new EventView { Record = plan.RecordOf(one, key), Schema = plan.Schema };
            if (one.Field.Value.Is<StackKind>())
            {
                if (StackKind.Find(one.Field.Value, ref view) is not { } stack)
                    continue;
                foreach (string frame in Enumerable.Reverse(Encoding.UTF8.GetString(stack.Folded(StackTable.Own.Names)).Split(';')))
                    Add(frame);
            }
            else
            {
                var line = new LineWriter(room);
                one.Field.Value.InTable.WriteText(ref line, ref view);
                Add(Encoding.UTF8.GetString(line.Written).Replace(';', ':'));
            }
        }

        return text.Length == 0 ? "?" : text.ToString();

        void Add(string name) => text.Append(text.Length == 0 ? "" : ";").Append(name);
    }

    private static int RankOf(CountKey key) => !key.Field.Value.Is<StackKind>() ? 0 : key.Field.Name.EndsWith(StackFields.User, StringComparison.Ordinal) ? 1 : 2;
}
