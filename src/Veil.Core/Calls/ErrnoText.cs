// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;

namespace Veil.Core.Calls;

/// <summary>What an error means, in libc's words.</summary>
internal static class ErrnoText
{
    private static readonly byte[]?[] s_known = new byte[600][];

    /// <summary>The text, in UTF-8.</summary>
    /// <param name="errno">The positive number.</param>
    public static ReadOnlySpan<byte> Of(int errno)
    {
        if ((uint)errno >= (uint)s_known.Length)
            return Make(errno);
        return s_known[errno] ??= Make(errno);
    }

    // The kernel's own numbers are none of libc's.
    private static byte[] Make(int errno) => Encoding.UTF8.GetBytes(errno switch
    {
        512 => "To be restarted if SA_RESTART is set",
        513 => "To be restarted",
        514 => "To be restarted if no handler",
        516 => "Interrupted by signal",
        _ => Marshal.GetPInvokeErrorMessage(errno),
    });
}
