// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Calls;

/// <summary>What is said of a call beside its arguments: its paths, what its descriptors stand for, which arguments were read
/// how.</summary>
public static class CallFacts
{
    /// <summary>One of the paths that a call was given.</summary>
    /// <param name="call">The call.</param>
    /// <param name="index">Which, from 0.</param>
    /// <param name="path">Its bytes.</param>
    /// <returns>False where the call has none, or it could not be read.</returns>
    public static bool TryGetPath(scoped in CallView call, int index, out ReadOnlySpan<byte> path)
    {
        var arguments = CallTable.Of(call).Spec.Arguments;
        for (int position = 0; position < arguments.Count; position++)
        {
            if (!arguments[position].IsPath || index-- > 0)
                continue;
            var chunk = call.Find(position);
            path = chunk.IsRead ? chunk.Bytes : default;
            return chunk.IsRead;
        }

        path = default;
        return false;
    }

    /// <summary>Writes the members of an object: each argument that is a descriptor, and <c>ret</c>, with what it stands for.</summary>
    public static void WriteDescriptors(ref LineWriter line, in CallView call, CallOptions options)
    {
        var (spec, names) = CallTable.Of(call);
        bool isFirst = true;
        int described = Described(call);
        for (int position = 0; position <= CallView.ReturnArg; position++)
        {
            if ((described & (1 << position)) == 0 || position == CallView.ArgsMax)
                continue;
            if (position == CallView.ReturnArg && !ReturnsDescriptor(ref line, call, spec, options))
                continue;
            line.Append(isFirst ? "\""u8 : ",\""u8);
            isFirst = false;
            line.Append(position == CallView.ReturnArg ? "ret"u8 : names[position]);
            line.Append("\":"u8);
            if (position == CallView.ReturnArg || spec.Arguments[position].IsDescriptor)
                WriteDescriptor(ref line, call, position, 0, options);
            else
                WriteDescriptorArray(ref line, call, position, options);
        }
    }

    /// <summary>Writes the names of the arguments that were read in a way, with a comma between them.</summary>
    /// <param name="line">Where to.</param>
    /// <param name="call">The call.</param>
    /// <param name="options">How it is shown.</param>
    /// <param name="mark">Not at all, late, or cut.</param>
    /// <param name="quoted">In quotes, as JSON has it?</param>
    public static void WriteNames(ref LineWriter line, in CallView call, CallOptions options, CallChunkMarks mark, bool quoted)
    {
        var (spec, names) = CallTable.Of(call);
        var (seen, marked, cut) = Scan(call, options, mark);
        bool isFirst = true;
        for (int position = 0; position < spec.Arguments.Count; position++)
        {
            var argument = spec.Arguments[position];
            if (argument.IsOmitted(call, position))
                continue;
            bool isMarked = (marked >> position & 1) != 0, isSeen = (seen >> position & 1) != 0;
            bool holds = mark switch
            {
                // A register that is no address for this command could not be read either, and is not missed.
                CallChunkMarks.Unread => (isMarked || (!isSeen && IsWanted(call, options, argument, position)))
                    && Shown(ref line, call, options, argument, position).WroteAddress,
                CallChunkMarks.Truncated => isMarked
                    || ((cut >> position & 1) != 0 && !argument.IsPath && Shown(ref line, call, options, argument, position).WasCut),
                _ => isMarked,
            };
            if (!holds)
                continue;
            if (!isFirst)
                line.Append((byte)',');
            isFirst = false;
            if (quoted)
                line.Append((byte)'"');
            line.Append(names[position]);
            if (quoted)
                line.Append((byte)'"');
        }
    }

    // Of which arguments something was read or tried, which have the mark, and of which more was read than is shown of a string.
    private static (int Seen, int Marked, int Cut) Scan(in CallView call, CallOptions options, CallChunkMarks mark)
    {
        int seen = 0, marked = 0, cut = 0;
        var row = call.Row;
        while (CallChunk.TryTake(ref row, out var chunk))
        {
            if (chunk.Kind is CallChunkKind.Path or CallChunkKind.Socket or CallChunkKind.Text)
                continue;
            int bit = 1 << (chunk.Arg & 7); // of several messages the number stands above
            seen |= bit;
            if (chunk.Bytes.Length > options.StringSize)
                cut |= bit;
            if ((chunk.Marks & mark) != CallChunkMarks.None
                && (mark == CallChunkMarks.Unread ? !IsReadElsewhere(call, chunk) : chunk.IsRead))
                marked |= bit;
        }

        return (seen, marked, cut);
    }

    private static bool IsReadElsewhere(in CallView call, in CallChunk unread) =>
        call.Find(unread.Arg, unread.Kind, unread.Index, (unread.Marks & CallChunkMarks.Output) != CallChunkMarks.None).IsRead;

    // There was no room for it, or an array's own addresses could not be read.
    private static bool IsWanted(in CallView call, CallOptions options, Argument argument, int position) => call[position] != 0
        && (argument.Input(position, options, call.Is32Bit).Read != CallRead.None
            || (call.HasSucceeded && argument.Output(position, options, call.Is32Bit).Read != CallRead.None));

    // What an argument says of itself as it is written, at the end of the line and away again.
    private static (bool WroteAddress, bool WasCut) Shown(
        ref LineWriter line, in CallView call, CallOptions options, Argument argument, int position)
    {
        int length = line.Length;
        var writer = new CallWriter(line, options);
        argument.Write(ref writer, call, position);
        line = writer.Line;
        line.Truncate(length);
        return (writer.WroteAddress, writer.WasCut);
    }

    // Of some calls the result is a descriptor only for some commands.
    private static bool ReturnsDescriptor(ref LineWriter line, in CallView call, CallSpec spec, CallOptions options)
    {
        if (spec.ResultWriter is not { } write)
            return true;
        int length = line.Length;
        var writer = new CallWriter(line, options);
        write(ref writer, call);
        line = writer.Line;
        line.Truncate(length);
        return writer.DescribedResult;
    }

    private static int Described(in CallView call)
    {
        int described = 0;
        var row = call.Row;
        while (CallChunk.TryTake(ref row, out var chunk))
        {
            if (chunk.Kind is CallChunkKind.Path or CallChunkKind.Socket or CallChunkKind.Text)
                described |= 1 << (chunk.Arg & 7);
        }

        return described;
    }

    private static void WriteDescriptor(ref LineWriter line, in CallView call, int position, int index, CallOptions options)
    {
        if (CallDescriptor.TryFind(call, position, index, out var chunk))
            CallDescriptor.WriteJson(ref line, chunk, options);
        else
            line.Append("null"u8);
    }

    private static void WriteDescriptorArray(ref LineWriter line, in CallView call, int position, CallOptions options)
    {
        int last = 0;
        var row = call.Row;
        while (CallChunk.TryTake(ref row, out var chunk))
        {
            if (chunk.Arg == position && chunk.Kind is CallChunkKind.Path or CallChunkKind.Socket or CallChunkKind.Text)
                last = Math.Max(last, chunk.Index);
        }

        line.Append((byte)'[');
        for (int index = 0; index <= last; index++)
        {
            if (index > 0)
                line.Append((byte)',');
            WriteDescriptor(ref line, call, position, index, options);
        }

        line.Append((byte)']');
    }
}
