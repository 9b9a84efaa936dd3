// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Calls;

/// <summary>What a descriptor stands for, as strace's <c>-y</c> and <c>-yy</c> write it.</summary>
internal static class CallDescriptor
{
    /// <summary>Writes it behind the number, in angle brackets; nothing where it is not known.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="call">The call.</param>
    /// <param name="arg">The argument, or <see cref="CallView.ReturnArg"/>.</param>
    public static void Write(ref CallWriter writer, in CallView call, int arg)
    {
        if (writer.Options.Descriptors == DescriptorDetail.None)
            return;
        var path = call.FindAny(arg, CallChunkKind.Path);
        if (!path.IsRead)
            return;
        writer.TextOnly("<"u8);
        CallEscaping.Append(ref writer.Line, path.Bytes);
        writer.TextOnly(">"u8);
    }
}
