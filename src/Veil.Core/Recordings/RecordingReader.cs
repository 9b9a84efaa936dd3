// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Interop;
using Veil.Core.Text;

namespace Veil.Core.Recordings;

/// <summary>
/// Reads the blocks of a recording. It believes a file up to the last block that is whole, and nothing after it; what is missing then
/// stands in <see cref="Missing"/>. Memory is bounded whatever the file says.
/// </summary>
internal sealed class RecordingReader : IDisposable
{
    private readonly Stream _stream;
    private readonly ulong _file;
    private byte[] _stored = new byte[64 * 1024];
    private ulong _number;
    private bool _hasEnd;
    private bool _isCut;
    private LibC.FileFacts? _facts;

    /// <summary>Begins to read a recording.</summary>
    /// <param name="stream">Owned.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="RecordingException">It is none, or one that cannot be read.</exception>
    public RecordingReader(Stream stream, string name)
    {
        _stream = stream;
        Name = name;
        try
        {
            Span<byte> head = stackalloc byte[FileHeader.SizeBytes];
            int length = _stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
            Position = length;
            if (FileHeader.Read(head[..length], out _file) is { } why)
            {
                bool isCut = length < head.Length && FileHeader.Magic.StartsWith(head[..Math.Min(length, FileHeader.Magic.Length)]);
                throw new RecordingException($"reading {name}: {why}") { IsUnbegun = isCut };
            }

            if (!TryRead(out var header) || header.Type != BlockType.Description)
            {
                string what = _isCut ? "it ends before what describes it" : "what describes it is damaged";
                throw new RecordingException($"reading {name}: {what}, and nothing in it can be read") { IsUnbegun = _isCut };
            }

            Description = DescriptionJson.Read(Block.AsMemory(0, header.RawBytes));
        }
        catch (RecordingException cause) when (!cause.Message.StartsWith("reading", StringComparison.Ordinal))
        {
            _stream.Dispose();
            throw new RecordingException($"reading {name}: {cause.Message}");
        }
        catch (IOException cause)
        {
            _stream.Dispose();
            throw new RecordingException($"reading {name}: {Escaping.ForMessage(cause.Message)}");
        }
        catch
        {
            _stream.Dispose();
            throw;
        }
    }

    /// <summary>What messages call it.</summary>
    public string Name { get; }

    /// <summary>What was recorded.</summary>
    public RecordingDescription Description { get; }

    /// <summary>The bytes of the last block, and perhaps more behind them.</summary>
    public byte[] Block { get; private set; } = [];

    /// <summary>What of the file could not be read; null: nothing, or it has not been read to its end.</summary>
    public string? Missing { get; private set; }

    /// <summary>Bytes of it that were read and can be believed.</summary>
    public long Position { get; private set; }

    /// <summary>The time of the earliest event so far, in nanoseconds since boot; all ones: there was none.</summary>
    public ulong FirstNs { get; private set; } = ulong.MaxValue;

    /// <summary>The time of the last event so far, in nanoseconds since boot.</summary>
    public ulong LastNs { get; private set; }

    /// <summary>Is it this file, whatever names lead there?</summary>
    public bool IsSame(in LibC.FileFacts other) => _facts is { } facts && facts.IsSame(other);

    /// <summary>Opens a file, or standard input.</summary>
    /// <exception cref="RecordingException">It cannot be read.</exception>
    public static RecordingReader Open(string path)
    {
        const int standardInput = 0;
        if (path == "-")
            return new RecordingReader(Console.OpenStandardInput(), "standard input") { _facts = LibC.TryGetFacts(standardInput, out var read) ? read : null };
        string name = Escaping.ForMessage(path);
        if (LibC.TryGetFacts(path, out var facts) && facts.Type is not (LibC.FileType.Regular or LibC.FileType.Fifo))
            throw new RecordingException(
                $"reading {name}: it is {(facts.Type == LibC.FileType.Directory ? "a directory" : "a device")}, and no recording");
        try
        {
            var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            bool isKnown = LibC.TryGetFacts((int)stream.SafeFileHandle.DangerousGetHandle(), out var opened);
            return new RecordingReader(stream, name) { _facts = isKnown ? opened : null };
        }
        catch (Exception cause) when (cause is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new RecordingException($"reading {name}: there is no such file");
        }
        catch (UnauthorizedAccessException)
        {
            throw new RecordingException($"reading {name}: permission denied (recordings are for their owner alone: chmod, or chown)");
        }
        catch (IOException cause)
        {
            throw new RecordingException($"reading {name}: {Escaping.ForMessage(cause.Message)}");
        }
    }

    /// <summary>Reads the next block into <see cref="Block"/>.</summary>
    /// <param name="header">What is said of it.</param>
    /// <param name="wanted">Which are read; others are passed over. Null: all.</param>
    /// <returns>False at the end, or where nothing more can be believed.</returns>
    public bool TryRead(out BlockHeader header, Func<BlockHeader, bool>? wanted = null)
    {
        header = default;
        try
        {
            while (Missing is null)
            {
                if (!TryTake(out header))
                    return false;
                bool isWanted = wanted?.Invoke(header) != false;
                if (isWanted && !TryDecompress(header))
                    return false;
                LastNs = Math.Max(LastNs, header.LastNs);
                FirstNs = Math.Min(FirstNs, header.Events > 0 ? header.FirstNs : ulong.MaxValue);
                _hasEnd |= header.Type == BlockType.End;
                if (isWanted)
                    return true;
            }
        }
        catch (IOException cause)
        {
            Missing = $"{Name} cannot be read on at byte {Position} ({Escaping.ForMessage(cause.Message)})";
        }

        return false;
    }

    public void Dispose() => _stream.Dispose();

    private bool TryTake(out BlockHeader header)
    {
        header = default;
        var head = _stored.AsSpan(0, BlockHeader.SizeBytes);
        int length = _stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        if (length == 0)
        {
            _isCut = !_hasEnd;
            if (_isCut)
                Missing = $"{Name} was not ended: its recorder was killed, had no room on the disk, or still runs";
            return false;
        }

        if (length < head.Length)
            return IsCut(length);
        if (_hasEnd || !BlockHeader.TryRead(head, out header) || header.Number != _number)
            return IsDamaged();
        int whole = BlockHeader.SizeBytes + header.StoredBytes;
        if (_stored.Length < whole)
            Array.Resize(ref _stored, whole);
        length =
            _stream.ReadAtLeast(
            _stored.AsSpan(BlockHeader.SizeBytes, header.StoredBytes), header.StoredBytes, throwOnEndOfStream: false);
        // Of a length that is damaged too the file is not cut.
        if (length < header.StoredBytes)
            return IsCut(BlockHeader.SizeBytes + length);
        if (!BlockHeader.IsIntact(_stored.AsSpan(0, whole), _file))
            return IsDamaged();
        Position += whole;
        _number++;
        return true;
    }

    private bool TryDecompress(BlockHeader header)
    {
        if (Block.Length < header.RawBytes)
            Block = GC.AllocateUninitializedArray<byte>(header.RawBytes);
        return Zstd.TryDecompress(_stored.AsSpan(BlockHeader.SizeBytes, header.StoredBytes), Block.AsSpan(0, header.RawBytes)) || IsDamaged();
    }

    private bool IsCut(int length)
    {
        _isCut = true;
        Missing = $"{Name} is cut off at byte {Position + length}, within a block that is not shown";
        return false;
    }

    private bool IsDamaged()
    {
        string behind = _stream.CanSeek ? $": {_stream.Length - Position} bytes are not read" : "";
        Missing = $"{Name} is damaged at byte {Position}{behind}";
        return false;
    }
}
