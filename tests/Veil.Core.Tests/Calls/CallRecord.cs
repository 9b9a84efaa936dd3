// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using Veil.Core.Calls;

namespace Veil.Core.Tests.Calls;

/// <summary>A record of a system call as the kernel's side makes it: <c>veil_call_t</c>, then the chunks.</summary>
internal sealed class CallRecord(SyscallArch arch, string name, long ret, params ulong[] args)
{
    private readonly List<byte> _row = [];

    /// <summary>Adds what was read for an argument.</summary>
    public CallRecord With(
        int arg, ReadOnlySpan<byte> bytes, CallChunkMarks marks =
        default, CallChunkKind kind = default, int index = 0, ulong? address = null)
    {
        Span<byte> header = stackalloc byte[CallChunk.HeaderBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(header, address ?? args[Math.Min(arg, args.Length - 1)]);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], bytes.Length);
        header[12] = (byte)arg;
        header[13] = (byte)index;
        header[14] = (byte)marks;
        header[15] = (byte)kind;
        _row.AddRange(header);
        _row.AddRange(bytes);
        while (_row.Count % 8 != 0)
            _row.Add(0);
        return this;
    }

    /// <summary>The same, of an argument that the call fills.</summary>
    public CallRecord Filled(int arg, ReadOnlySpan<byte> bytes) => With(arg, bytes, CallChunkMarks.Output);

    /// <summary>Adds what a descriptor stands for.</summary>
    public CallRecord Described(int arg, ReadOnlySpan<byte> path, int index = 0, CallChunkMarks marks = default, ulong detail = 0) =>
        With(arg, path, marks, CallChunkKind.Path, index, detail);

    /// <summary>As strace writes it.</summary>
    public string Text => TextOf(new CallOptions());

    /// <summary>The arguments in JSON.</summary>
    public string Json =>
        Write(new CallOptions(IsJson: true), static (ref LineWriter line, in CallView call, CallOptions options) =>
        CallText.WriteJson(ref line, call, options));

    /// <summary>What its descriptors stand for, as members of an object.</summary>
    public string Fds => Write(new CallOptions(IsJson: true), CallFacts.WriteDescriptors);

    /// <summary>As strace writes it with other flags.</summary>
    public string TextOf(CallOptions options) =>
        Write(options, static (ref LineWriter line, in CallView call, CallOptions options) => CallText.Write(ref line, call, options));

    /// <summary>The arguments that were read in a way.</summary>
    public string Names(CallChunkMarks mark) =>
        Write(new CallOptions(), (ref LineWriter line, in CallView call, CallOptions options) =>
            CallFacts.WriteNames(ref line, call, options, mark, quoted: false));

    /// <summary>One of its paths.</summary>
    public string? Path(int index) =>
        CallFacts.TryGetPath(new CallView(Record(), 0), index, out var path) ? Encoding.UTF8.GetString(path) : null;

    private delegate void Writer(ref LineWriter line, in CallView call, CallOptions options);

    private string Write(CallOptions options, Writer write)
    {
        var line = new LineWriter(new byte[65536]);
        write(ref line, new CallView(Record(), 0), options);
        return Encoding.UTF8.GetString(line.Written);
    }

    private byte[] Record()
    {
        byte[] record = new byte[CallView.SizeBytes + _row.Count];
        BinaryPrimitives.WriteInt32LittleEndian(record,
            SyscallTable.For(arch).TryGetNumber(name, out int number) ? number : throw new InvalidOperationException(name));
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(4), (int)arch);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(8), ret);
        for (int arg = 0; arg < args.Length; arg++)
            BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(16 + (8 * arg)), args[arg]);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(CallView.PartOffset), CallView.SizeBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(CallView.PartOffset + 4), (ushort)_row.Count);
        _row.CopyTo(record, CallView.SizeBytes);
        return record;
    }
}
