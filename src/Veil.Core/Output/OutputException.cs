// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Bpf;

namespace Veil.Core.Output;

/// <summary>The output takes no more. A closed pipe is how people end a trace (<c>| head</c>), everything else is an error.</summary>
public sealed class OutputException(string message, bool closedByReader) : VeilException(message)
{
    /// <summary>The reading end was closed.</summary>
    public bool ClosedByReader { get; } = closedByReader;

    /// <summary>Of the bytes of the write that was refused, those at the beginning that the output has nevertheless: whole lines.</summary>
    internal int KeptBytes { get; init; }

    /// <summary>A write that was refused.</summary>
    /// <param name="errno">Why.</param>
    /// <param name="kept">Bytes of it that the output has.</param>
    internal static OutputException Of(int errno, int kept = 0) => errno == Errno.EPIPE
        ? new("writing the output: the reader closed it", closedByReader: true)
        : new($"writing the output: {Marshal.GetPInvokeErrorMessage(errno)}", closedByReader: false) { KeptBytes = kept };

    /// <inheritdoc/>
    public override int ExitCode => ClosedByReader ? Veil.Core.ExitCode.Success : Veil.Core.ExitCode.Failure;
}
