// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;

namespace Veil.Core.Calls;

/// <summary>How a child ended or stopped, the status of <c>wait4()</c>.</summary>
internal static class WaitStatus
{
    // include/uapi/linux/wait.h and the macros of wait(2)
    private const uint Continued = 0xffff, StoppedByte = 0x7f, CoreDumped = 0x80;
    private const uint Trap = 5;

    /// <summary><c>{WIFEXITED(s) &amp;&amp; WEXITSTATUS(s) == 3}</c>; in JSON <c>{"exited":3}</c>, <c>{"signaled":"SIGKILL"}</c>, <c>{"stopped":"SIGSTOP"}</c>.</summary>
    public static void Write(ref CallWriter writer, uint status)
    {
        uint signal = status & 0x7f, code = status >> 8 & 0xff;
        writer.BeginStruct();
        if (status == Continued)
        {
            Condition(ref writer, "WIFCONTINUED(s)"u8, "continued"u8);
            if (writer.IsJson)
                writer.Number(1);
        }
        else if (signal == 0)
        {
            Condition(ref writer, "WIFEXITED(s) && WEXITSTATUS(s) == "u8, "exited"u8);
            writer.Unsigned(code);
        }
        else if (signal == StoppedByte)
        {
            Condition(ref writer, "WIFSTOPPED(s) && WSTOPSIG(s) == "u8, "stopped"u8);
            // With PTRACE_O_TRACESYSGOOD a stop at a call has a bit of its own.
            SignalSet.WriteSignal(ref writer, code == (Trap | 0x80) ? Trap : code);
            if (code == (Trap | 0x80))
                writer.TextOnly(" | 0x80"u8);
        }
        else
        {
            Condition(ref writer, "WIFSIGNALED(s) && WTERMSIG(s) == "u8, "signaled"u8);
            SignalSet.WriteSignal(ref writer, signal);
            if ((status & CoreDumped) != 0)
            {
                Condition(ref writer, " && WCOREDUMP(s)"u8, "core"u8);
                if (writer.IsJson)
                    writer.Number(1);
            }
        }

        writer.EndStruct();
        if (status >> 16 != 0 && status != Continued && !writer.IsJson)
        {
            writer.TextOnly(" | "u8);
            writer.Name(FlagSets.PtraceEvents, status >> 16);
            writer.TextOnly(" << 16"u8);
        }
    }

    private static void Condition(ref CallWriter writer, ReadOnlySpan<byte> text, ReadOnlySpan<byte> name)
    {
        writer.TextOnly(text);
        if (writer.IsJson)
            writer.Field(name);
    }
}
