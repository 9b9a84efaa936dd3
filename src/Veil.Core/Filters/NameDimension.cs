// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;

namespace Veil.Core.Filters;

/// <summary>A part of the task's name. The kernel looks every window of a name up among the parts (<c>veil_name_search</c>).</summary>
internal sealed class NameDimension : FilterDimension
{
    /// <summary>The longest task name in bytes: TASK_COMM_LEN less the NUL.</summary>
    public const int BytesMax = 15;

    public override string Name => "name";

    public override char? Alias => 'n';

    public override string ValueName => "TEXT";

    public override string Description => "tasks whose name contains the text";

    public override string AcceptedForm => $"1 to {BytesMax} bytes of a task's name";

    public override string? ParseKeys(string text, List<FilterKey> keys)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
            return $"{Quoted(text)} holds a NUL, which no task name has";
        if (text.AsSpan().ContainsAny('*', '?'))
            return $"{Quoted(text)} is a pattern, which --name does not take: the text is found in any part of a name; leave * and ? out";
        Span<byte> padded = stackalloc byte[16];
        if (!Encoding.UTF8.TryGetBytes(text, padded[..BytesMax], out int length))
            return $"{Quoted(text)} is longer than a task name can be: the kernel keeps {BytesMax} bytes";
        padded[length..].Clear();
        keys.Add(new(BinaryPrimitives.ReadUInt128LittleEndian(padded), text));
        return null;
    }

    /// <summary>The length in bytes of the text behind a key.</summary>
    public static int LengthOf(in FilterKey key) => Encoding.UTF8.GetByteCount(key.Text);
}
