// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Unwinding;

/// <summary>
/// The frames of a file's functions: <c>.eh_frame</c>, or <c>.debug_frame</c>. The bytes are not trusted: what does not hold is left out, and each
/// question takes bounded time.
/// </summary>
internal sealed class FrameTable
{
    private const uint Long = 0xffffffff;
    private const int FunctionsMax = 1 << 20;
    private const int StepsMax = 1 << 14;
    private const int RememberedMax = 32;
    private const int TextMax = 16;
    private const int CommonsMax = 1 << 12;
    private const byte NoEncoding = 0xff;

    private readonly byte[] _bytes;
    private readonly ulong _address;
    private readonly bool _isDebug;
    private readonly int _registers;
    private readonly Dictionary<int, Common?> _commons = [];
    private ulong[] _starts = [];
    private Function[] _functions = [];

    /// <summary>Reads where the functions are.</summary>
    /// <param name="bytes">The section.</param>
    /// <param name="address">Its address in the file.</param>
    /// <param name="isDebug">It is <c>.debug_frame</c>.</param>
    /// <param name="registers">How many registers matter.</param>
    public FrameTable(byte[] bytes, ulong address, bool isDebug, int registers)
    {
        (_bytes, _address, _isDebug, _registers) = (bytes, address, isDebug, registers);
        ReadFunctions();
    }

    /// <summary>How many functions it has.</summary>
    public int Count => _functions.Length;

    /// <summary>The memory that it takes.</summary>
    public long SizeBytes => _bytes.Length + (Count * 32L);

    /// <summary>The row of an address as the file has it; nothing where no function is known there, or where its table is damaged.</summary>
    public FrameRow? Find(ulong address)
    {
        int at = Array.BinarySearch(_starts, address);
        if (at < 0)
            at = ~at - 1;
        if (at < 0 || address >= _functions[at].End || CommonAt(_functions[at].CommonAt) is not { } common)
            return null;
        var function = _functions[at];
        var initial = new FrameRow(_registers) { ReturnRegister = common.ReturnRegister, IsSignal = common.IsSignal };
        ulong place = _starts[at];
        if (!Run(common.Program, common, ref initial, initial, ref place, ulong.MaxValue, isCommon: true))
            return null;
        var row = initial.Copy();
        return Run(_bytes.AsMemory(function.ProgramAt, function.ProgramBytes), common, ref row, initial, ref place, address, isCommon: false)
            && row.IsUsable ? row : null;
    }

    private void ReadFunctions()
    {
        var found = new List<(ulong Start, Function Function)>();
        for (int at = 0; at < _bytes.Length && found.Count < FunctionsMax;)
        {
            var reader = new DwarfReader(_bytes, at);
            if (!ReadHead(ref reader, out int end, out bool isCommon, out long commonAt))
                break;
            if (!isCommon && CommonAt(commonAt) is { } common && ReadFunction(ref reader, end, common, (int)commonAt) is { } one)
                found.Add(one);
            at = end;
        }

        // Of several at one address the first stays.
        var ordered = found.OrderBy(static one => one.Start).DistinctBy(static one => one.Start).ToArray();
        _starts = Array.ConvertAll(ordered, static one => one.Start);
        _functions = Array.ConvertAll(ordered, static one => one.Function);
    }

    // Length, and whose it is: of a common entry (CIE), or of a function (FDE) that says which one it has.
    private bool ReadHead(ref DwarfReader reader, out int end, out bool isCommon, out long commonAt)
    {
        (end, isCommon, commonAt) = (0, false, -1);
        ulong length = reader.U32();
        bool isLong = length == Long;
        if (isLong)
            length = reader.U64();
        // 0 ends .eh_frame.
        if (reader.IsBeyond || length == 0 || length > (ulong)(_bytes.Length - reader.Position))
            return false;
        end = reader.Position + (int)length;
        int idAt = reader.Position;
        ulong id = isLong && _isDebug ? reader.U64() : reader.U32();
        isCommon = _isDebug ? id == (isLong ? ulong.MaxValue : Long) : id == 0;
        commonAt = isCommon ? -1 : _isDebug ? (id <= int.MaxValue ? (long)id : -1) : idAt - (long)id;
        return !reader.IsBeyond;
    }

    private (ulong Start, Function Function)? ReadFunction(ref DwarfReader reader, int end, Common common, int commonAt)
    {
        ulong start = reader.Encoded(common.Encoding, _address), bytes = reader.Encoded((byte)(common.Encoding & 0x0f), 0);
        if (common.HasAugmentation)
            _ = reader.Take(reader.Uleb());
        return reader.IsBeyond || reader.Position > end || bytes == 0 || start == 0 || start + bytes < start ? null
            : (start, new(start + bytes, commonAt, reader.Position, end - reader.Position));
    }

    private Common? CommonAt(long at)
    {
        if (at < 0 || at >= _bytes.Length)
            return null;
        if (!_commons.TryGetValue((int)at, out var common) && _commons.Count < CommonsMax)
            _commons.Add((int)at, common = ReadCommon((int)at));
        return common;
    }

    private Common? ReadCommon(int at)
    {
        var reader = new DwarfReader(_bytes, at);
        if (!ReadHead(ref reader, out int end, out bool isCommon, out _) || !isCommon)
            return null;
        byte version = reader.U8();
        if (version is not (1 or 3 or 4))
            return null;
        Span<char> text = stackalloc char[TextMax];
        int length = 0;
        for (byte letter; (letter = reader.U8()) != 0 && !reader.IsBeyond; length++)
        {
            if (length == TextMax)
                return null;
            text[length] = (char)letter;
        }

        // The sizes of addresses and of segments' selectors.
        if (version == 4 && (reader.U8() != sizeof(ulong) || reader.U8() != 0))
            return null;
        ulong codeAlign = reader.Uleb();
        long dataAlign = reader.Sleb();
        ulong returnRegister = version == 1 ? reader.U8() : reader.Uleb();
        byte encoding = 0;
        bool isSignal = false, hasAugmentation = length > 0 && text[0] == 'z';
        if (length > 0 && !hasAugmentation)
            return null;
        if (hasAugmentation)
        {
            ulong bytes = reader.Uleb();
            int from = reader.Position;
            foreach (char letter in text[1..length])
            {
                switch (letter)
                {
                    case 'R':
                        encoding = reader.U8();
                        break;
                    case 'S':
                        isSignal = true;
                        break;
                    case 'L':
                        _ = reader.U8();
                        break;
                    case 'P' when reader.U8() is var personality && personality != NoEncoding:
                        // What it leads to does not matter here, so it may be indirect.
                        _ = reader.Encoded((byte)(personality & 0x0f), 0);
                        break;
                }
            }

            if (bytes > (ulong)(end - Math.Min(from, end)))
                return null;
            reader = new DwarfReader(_bytes, from + (int)bytes);
        }

        return reader.IsBeyond || reader.Position > end || returnRegister >= (ulong)_registers ? null
            : new(_bytes.AsMemory(reader.Position, end - reader.Position), codeAlign, dataAlign, (int)returnRegister, encoding, hasAugmentation, isSignal);
    }

    // DWARF 5, 6.4.2. Ends where the place goes beyond the address; false where the program is damaged.
    private bool Run(
        ReadOnlyMemory<byte> program, Common common, ref FrameRow row, FrameRow initial, ref ulong place, ulong address, bool isCommon)
    {
        var reader = new DwarfReader(program.Span);
        var remembered = new Stack<FrameRow>();
        for (int step = 0; !reader.IsAtEnd; step++)
        {
            if (step == StepsMax)
                return false;
            byte code = reader.U8();
            ulong low = code & 0x3fUL;
            switch (code >> 6)
            {
                case 1:
                    place += low * common.CodeAlign;
                    break;
                case 2:
                    row.Set(low, FrameRule.AtOffset, (long)reader.Uleb() * common.DataAlign);
                    break;
                case 3:
                    row.Restore(low, initial);
                    break;
                default:
                    if (!RunOther(code, ref reader, program, common, ref row, initial, ref place, remembered, isCommon))
                        return false;
                    break;
            }

            if (reader.IsBeyond)
                return false;
            if (place > address)
                return true;
        }

        return true;
    }

    private bool RunOther(
        byte code, ref DwarfReader reader, ReadOnlyMemory<byte> program, Common common, ref FrameRow row, FrameRow initial, ref ulong place,
        Stack<FrameRow> remembered, bool isCommon)
    {
        switch (code)
        {
            case 0x00 or 0x2d: // nop; on arm64 the return address is signed from here on, and the unwinder takes the signature off
                break;
            case 0x01:
                place = reader.Encoded(common.Encoding, _address + (ulong)PlaceOf(program));
                break;
            case 0x02:
                place += reader.U8() * common.CodeAlign;
                break;
            case 0x03:
                place += reader.U16() * common.CodeAlign;
                break;
            case 0x04:
                place += reader.U32() * common.CodeAlign;
                break;
            case 0x05:
                row.Set(reader.Uleb(), FrameRule.AtOffset, (long)reader.Uleb() * common.DataAlign);
                break;
            case 0x06:
                row.Restore(reader.Uleb(), initial);
                break;
            case 0x07:
                row.Set(reader.Uleb(), FrameRule.Undefined);
                break;
            case 0x08:
                row.Set(reader.Uleb(), FrameRule.Same);
                break;
            case 0x09:
                row.Set(reader.Uleb(), FrameRule.Register, (long)reader.Uleb());
                break;
            case 0x0a when remembered.Count < RememberedMax && !isCommon:
                remembered.Push(row.Copy());
                break;
            case 0x0b when remembered.Count > 0:
                row = remembered.Pop();
                break;
            case 0x0c:
                SetAddress(row, reader.Uleb(), (long)reader.Uleb());
                break;
            case 0x0d:
                SetAddress(row, reader.Uleb(), row.AddressOffset);
                break;
            case 0x0e:
                row.AddressOffset = (long)reader.Uleb();
                break;
            case 0x0f:
                row.AddressRegister = -1;
                row.AddressExpression = Expression(ref reader, program);
                break;
            case 0x10:
                row.Set(reader.Uleb(), FrameRule.AtExpression, 0, Expression(ref reader, program));
                break;
            case 0x11:
                row.Set(reader.Uleb(), FrameRule.AtOffset, reader.Sleb() * common.DataAlign);
                break;
            case 0x12:
                SetAddress(row, reader.Uleb(), reader.Sleb() * common.DataAlign);
                break;
            case 0x13:
                row.AddressOffset = reader.Sleb() * common.DataAlign;
                break;
            case 0x14:
                row.Set(reader.Uleb(), FrameRule.Offset, (long)reader.Uleb() * common.DataAlign);
                break;
            case 0x15:
                row.Set(reader.Uleb(), FrameRule.Offset, reader.Sleb() * common.DataAlign);
                break;
            case 0x16:
                row.Set(reader.Uleb(), FrameRule.Expression, 0, Expression(ref reader, program));
                break;
            case 0x2e: // DW_CFA_GNU_args_size
                _ = reader.Uleb();
                break;
            case 0x2f: // DW_CFA_GNU_negative_offset_extended
                row.Set(reader.Uleb(), FrameRule.AtOffset, -(long)reader.Uleb() * common.DataAlign);
                break;
            default:
                return false;
        }

        return true;
    }

    private static int PlaceOf(ReadOnlyMemory<byte> program) =>
        System.Runtime.InteropServices.MemoryMarshal.TryGetArray(program, out var part) ? part.Offset : 0;

    private void SetAddress(FrameRow row, ulong register, long offset)
    {
        (row.AddressRegister, row.AddressOffset) = (register < (ulong)_registers ? (int)register : -1, offset);
        row.AddressExpression = default;
    }

    private static ReadOnlyMemory<byte> Expression(ref DwarfReader reader, ReadOnlyMemory<byte> program)
    {
        int length = reader.Take(reader.Uleb()).Length;
        return reader.IsBeyond ? default : program.Slice(reader.Position - length, length);
    }

    private readonly record struct Function(ulong End, int CommonAt, int ProgramAt, int ProgramBytes);

    private sealed record Common(
        ReadOnlyMemory<byte> Program, ulong CodeAlign, long DataAlign, int ReturnRegister, byte Encoding, bool HasAugmentation, bool IsSignal);
}
