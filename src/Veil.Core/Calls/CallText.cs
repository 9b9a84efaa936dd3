// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Kernel;
using Veil.Core.Text;

namespace Veil.Core.Calls;

/// <summary>A whole call: <c>openat(AT_FDCWD, "/etc/hosts", O_RDONLY|O_CLOEXEC) = 3</c>, or the object of its arguments in JSON.</summary>
public static class CallText
{
    /// <summary>Writes name, arguments and result, as strace does.</summary>
    /// <param name="line">Where to.</param>
    /// <param name="call">The call.</param>
    /// <param name="options">How it is shown.</param>
    /// <param name="resultColumn">The place in the line where the result begins, if the call leaves room for it.</param>
    public static void Write(ref LineWriter line, in CallView call, CallOptions options, int resultColumn = 0)
    {
        var spec = CallTable.Of(call).Spec;
        AppendName(ref line, call, spec);
        if (!AppendArguments(ref line, call, spec, options) || call.IsRunning)
            line.Append(" <unfinished ...>"u8);
        if (call.IsRunning)
            return;
        line.Append(") "u8);
        line.PadTo(line.Length, resultColumn);
        line.Append("= "u8);
        var writer = new CallWriter(line, options);
        WriteResult(ref writer, call, spec);
        line = writer.Line;
    }

    /// <summary>Writes the arguments in parentheses.</summary>
    public static void WriteArguments(ref LineWriter line, in CallView call, CallOptions options)
    {
        AppendArguments(ref line, call, CallTable.Of(call).Spec, options, isWhole: true);
        line.Append((byte)')');
    }

    /// <summary>Writes the arguments as the members of a JSON object.</summary>
    public static void WriteJson(ref LineWriter line, in CallView call, CallOptions options)
    {
        var (spec, names) = CallTable.Of(call);
        line.Append((byte)'{');
        var writer = new CallWriter(line, options);
        bool isFirst = true;
        for (int position = 0; position < spec.Arguments.Count; position++)
        {
            var argument = spec.Arguments[position];
            if (argument.IsOmitted(call, position))
                continue;
            if (!isFirst)
                writer.Line.Append((byte)',');
            isFirst = false;
            writer.Quote();
            writer.Line.Append(names[position]);
            writer.Line.Append("\":"u8);
            writer.WasInexact = false;
            argument.Write(ref writer, call, position);
            if (writer.WasInexact)
                AppendExact(ref writer.Line, names[position], call.FindAny(position).Bytes);
        }

        line = writer.Line;
        line.Append((byte)'}');
    }

    // With the parenthesis before them. Of a call that did not come back up to the first that it would have filled: then false.
    private static bool AppendArguments(ref LineWriter line, in CallView call, CallSpec spec, CallOptions options, bool isWhole = false)
    {
        line.Append((byte)'(');
        var writer = new CallWriter(line, options);
        if (spec.TextWriter is { } write)
        {
            write(ref writer, call);
            line = writer.Line;
            return true;
        }

        bool isFirst = true;
        isWhole |= call.HasReturned;
        int shown = spec.Order?.Count ?? spec.Arguments.Count;
        for (int index = 0; index < shown; index++)
        {
            int position = spec.Order?[index] ?? index;
            var argument = spec.Arguments[position];
            if (argument.IsOmitted(call, position))
                continue;
            if (!isWhole && IsFilled(argument, position, call, options))
            {
                line = writer.Line;
                return false;
            }

            if (!isFirst)
                writer.Line.Append(", "u8);
            isFirst = false;
            argument.Write(ref writer, call, position);
        }

        line = writer.Line;
        return true;
    }

    private static bool IsFilled(Argument argument, int position, in CallView call, CallOptions options) =>
        argument.Output(position, options, call.Is32Bit).Read != CallRead.None
            && argument.Input(position, options, call.Is32Bit).Read == CallRead.None;

    private static void AppendExact(ref LineWriter line, ReadOnlySpan<byte> name, ReadOnlySpan<byte> bytes)
    {
        line.Append(",\""u8);
        line.Append(name);
        line.Append("_hex\":\""u8);
        foreach (byte value in bytes)
            line.AppendHex(value, digits: 2);
        line.Append((byte)'"');
    }

    // What is asked of i386's ipc has a name of its own.
    private static void AppendName(ref LineWriter line, in CallView call, CallSpec spec)
    {
        if (spec.Order is null)
            AppendName(ref line, call);
        else
            line.Append(spec.NameUtf8);
    }

    /// <summary>Writes the call's name; its number where it has none.</summary>
    public static void AppendName(ref LineWriter line, in CallView call)
    {
        var name = SyscallTable.For(call.Arch).NameUtf8(call.Number);
        if (!name.IsEmpty)
        {
            line.Append(name);
            return;
        }

        line.Append("syscall_0x"u8);
        line.AppendHex((uint)call.Number);
    }

    private static void WriteResult(ref CallWriter writer, in CallView call, CallSpec spec)
    {
        ref var line = ref writer.Line;
        if (!call.HasReturned)
        {
            line.Append((byte)'?');
            return;
        }

        if (call.HasFailed)
        {
            int error = (int)-call.Ret;
            line.Append(Errno.IsRestart(error) ? "? "u8 : "-1 "u8);
            line.Append(Errno.NameUtf8(error));
            line.Append(" ("u8);
            line.Append(ErrnoText.Of(error));
            line.Append((byte)')');
            return;
        }

        if (spec.ResultWriter is { } writeResult)
        {
            writeResult(ref writer, call);
            return;
        }

        switch (spec.Result)
        {
            case CallResult.Hex:
                writer.Hex((ulong)call.Ret);
                break;
            case CallResult.Octal:
                writer.Octal((uint)call.Ret);
                break;
            case CallResult.Descriptor:
                writer.Number(call.Ret);
                CallDescriptor.Write(ref writer, call, CallView.ReturnArg);
                break;
            default:
                writer.Number(call.Ret);
                break;
        }
    }
}
