// SPDX-License-Identifier: GPL-3.0-only
using System.Numerics;
using Veil.Core.Kernel;

namespace Veil.Core.Calls;

/// <summary>Signals and sets of them.</summary>
internal static class SignalSet
{
    private const int Signals = 64;

    /// <summary>The mask of a call that may wait, a pointer to a <c>sigset_t</c>.</summary>
    /// <param name="isAddressAfterFailure">Does strace write an address where the call has failed?</param>
    public static Argument Argument(bool isAddressAfterFailure = false) =>
        new StructArgument(8, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
            Write(ref writer, bytes.U64(0)))
        { IsAddressAfterFailure = isAddressAfterFailure };

    /// <summary><c>SIGUSR1</c>.</summary>
    public static void WriteSignal(ref CallWriter writer, uint signal)
    {
        if (FlagSets.Signals.NameOf(signal) is { IsEmpty: false } name)
            writer.Word(name);
        else
            writer.Unsigned(signal);
    }

    /// <summary><c>[HUP USR1]</c>; of most signals those that are not in it: <c>~[KILL STOP]</c>. In JSON those that are.</summary>
    public static void Write(ref CallWriter writer, ulong set)
    {
        if (!writer.IsJson && BitOperations.PopCount(set) > Signals * 2 / 3)
        {
            writer.TextOnly("~"u8);
            set = ~set;
        }

        writer.BeginArray();
        bool isFirst = true;
        for (uint signal = 1; signal <= Signals; signal++)
        {
            if ((set >> (int)(signal - 1) & 1) == 0)
                continue;
            if (writer.IsJson)
                writer.Item();
            else if (!isFirst)
                writer.TextOnly(" "u8);
            isFirst = false;
            if (FlagSets.Signals.NameOf(signal) is { Length: > 3 } name)
                writer.Word(name[3..]);
            else
                writer.Unsigned(signal);
        }

        writer.EndArray();
    }
}
