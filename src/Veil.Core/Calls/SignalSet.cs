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
    /// <param name="sizeAt">The argument that says its size, without which it is an address; -1: none does.</param>
    public static Argument Argument(bool isAddressAfterFailure = false, int sizeAt = -1) => new OwnArgument(
        (ref CallWriter writer, in CallView call, int position) =>
        {
            var chunk = call.Find(position);
            if (!chunk.Has(8) || (isAddressAfterFailure && call.HasFailed) || (sizeAt >= 0 && call[sizeAt] != 8))
                writer.Address(call[position]);
            else
                Write(ref writer, chunk.Bytes.U64(0));
        })
    { Begin = new(CallRead.Fixed, 8, 8) };

    /// <summary><c>SIGUSR1</c>.</summary>
    public static void WriteSignal(ref CallWriter writer, uint signal)
    {
        if (FlagSets.Signals.NameOf(signal) is { IsEmpty: false } name)
            writer.Word(name);
        else
            writer.Number((int)signal);
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
