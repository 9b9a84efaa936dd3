// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Veil.Core.Symbols;

/// <summary>
/// From addresses to lines of the source: the line number programs of DWARF 2 to 5 (<c>.debug_line</c>). They are run once to know
/// which runs of addresses there are, and the one around an address once more when that is asked for. They may be anything: what is
/// read, kept and run is bounded.
/// </summary>
internal sealed class LineTable
{
    // Runs of addresses: as a rule one for each function, or each source file.
    private const int RunsMax = 1 << 19;
    private const int FormatsMax = 16;
    private const int NameBytesMax = 4096;

    // What all questions to one file may cost together, in steps of its programs: some seconds.
    private const long StepsMax = 1L << 30;

    private readonly byte[] _lines;
    private readonly ElfFile _elf;
    private readonly Run[] _runs;
    private long _steps;

    private LineTable(ElfFile elf, byte[] lines)
    {
        (_elf, _lines) = (elf, lines);
        _runs = FindRuns();
    }

    /// <summary>The memory that it takes.</summary>
    public long SizeBytes => _lines.Length + _elf.LineNamesBytes + (_runs.Length * 32L);

    /// <summary>Reads those of a file; nothing where it has none, or they are too large.</summary>
    public static LineTable? Read(ElfFile elf)
    {
        try
        {
            return elf.ReadLines() is { } lines ? new(elf, lines) : null;
        }
        catch (ElfException)
        {
            return null;
        }
    }

    /// <summary>The line that an instruction comes from, as <c>FILE:LINE</c>.</summary>
    /// <param name="address">As the file has it.</param>
    public string? Find(ulong address)
    {
        int low = 0, high = _runs.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_runs[middle].Start <= address)
                low = middle + 1;
            else
                high = middle;
        }

        // Of what a linker left out the programs say that it is at 0: such runs lie over each other.
        const int overlapMax = 16;
        for (int i = low - 1; i >= 0 && low - i <= overlapMax; i--)
        {
            if (address >= _runs[i].End)
                continue;
            var unit = ReadUnit(_runs[i].Unit);
            var row = default((uint File, uint Line)?);
            if (unit is null)
                continue;
            ulong before = ulong.MaxValue;
            (uint, uint) last = default;
            _ = RunOne(unit.Value, _runs[i].Program, (at, file, line) =>
            {
                if (at > address && before <= address)
                {
                    row = last;
                    return false;
                }

                (before, last) = (at, (file, line));
                return true;
            });
            if (row is { } found && FileName(unit.Value, found.File) is { } name)
                return Place(name, found.Line);
        }

        return null;
    }

    /// <summary><c>FILE:LINE</c>. Of a long path its end is kept.</summary>
    internal static string Place(string file, uint line)
    {
        const int most = 200;
        return (file.Length > most ? "..." + file[^most..] : file) + ":" + (line == 0 ? "?" : line.ToString(CultureInfo.InvariantCulture));
    }

    private delegate bool RowAction(ulong address, uint file, uint line);

    private Run[] FindRuns()
    {
        var runs = new List<Run>();
        for (int at = 0; at < _lines.Length && runs.Count < RunsMax;)
        {
            var unit = ReadUnit(at);
            if (unit is null)
            {
                // Of another version, or damaged: its length leads to the next one, if it has one.
                if (UnitEnd(at) is not { } next || next <= at)
                    break;
                at = next;
                continue;
            }

            for (int program = unit.Value.Program; program < unit.Value.End && runs.Count < RunsMax;)
            {
                ulong start = ulong.MaxValue, end = 0;
                int next = RunOne(unit.Value, program, (address, _, _) =>
                {
                    start = Math.Min(start, address);
                    end = Math.Max(end, address);
                    return true;
                });
                if (start < end && start > 0)
                    runs.Add(new(start, end, at, program));
                if (next <= program)
                    break;
                program = next;
            }

            at = unit.Value.End;
        }

        return [.. runs.OrderBy(static run => run.Start)];
    }

    // Up to the end of one run; where the next begins, or 0 at something damaged. The last row is the address behind it.
    private int RunOne(in Unit unit, int program, RowAction take)
    {
        const byte extended = 0, copy = 1, advance = 2, advanceLine = 3, setFile = 4, setColumn = 5;
        const byte addConstant = 8, addFixed = 9, setIsa = 12;
        const byte endSequence = 1, setAddress = 2;
        var reader = new Reader(_lines, program, unit.End);
        ulong address = 0, index = 0;
        uint file = 1, line = 1;
        while (!reader.IsAtEnd)
        {
            if (++_steps > StepsMax)
                return 0;
            byte code = reader.U8();
            if (code >= unit.OpcodeBase)
            {
                int adjusted = code - unit.OpcodeBase;
                Advance((ulong)(adjusted / unit.LineRange), unit);
                line += (uint)(unit.LineBase + (adjusted % unit.LineRange));
                if (!take(address, file, line))
                    return 0;
                continue;
            }

            switch (code)
            {
                case extended:
                    ulong bytes = reader.Uleb();
                    int body = reader.Position;
                    if (bytes == 0 || bytes > (ulong)(unit.End - body))
                        return 0;
                    byte kind = reader.U8();
                    if (kind == setAddress)
                    {
                        address = bytes - 1 == 8 ? reader.U64() : bytes - 1 == 4 ? reader.U32() : 0;
                        index = 0;
                    }

                    reader.Position = body + (int)bytes;
                    if (kind == endSequence)
                    {
                        _ = take(address, 0, 0);
                        return reader.Position;
                    }

                    break;
                case copy:
                    if (!take(address, file, line))
                        return 0;
                    break;
                case advance:
                    Advance(reader.Uleb(), unit);
                    break;
                case advanceLine:
                    line += (uint)reader.Sleb();
                    break;
                case setFile:
                    file = (uint)reader.Uleb();
                    break;
                case setColumn or setIsa:
                    _ = reader.Uleb();
                    break;
                case addConstant:
                    Advance((ulong)((255 - unit.OpcodeBase) / unit.LineRange), unit);
                    break;
                case addFixed:
                    address += reader.U16();
                    index = 0;
                    break;
                default:
                    // Standard ones without operands, and those of a later version, which say how many they have.
                    for (int i = 0; i < _lines[unit.OpcodeLengths + code - 1]; i++)
                        _ = reader.Uleb();
                    break;
            }
        }

        return 0;

        void Advance(ulong operations, in Unit unit)
        {
            if (unit.OperationsMax <= 1)
            {
                address += operations * unit.InstructionBytes;
                return;
            }

            address += (index + operations) / unit.OperationsMax * unit.InstructionBytes;
            index = (index + operations) % unit.OperationsMax;
        }
    }

    private int? UnitEnd(int at)
    {
        var reader = new Reader(_lines, at, _lines.Length);
        ulong bytes = reader.Length(out _);
        return !reader.IsDamaged && bytes <= (ulong)(_lines.Length - reader.Position) ? reader.Position + (int)bytes : null;
    }

    private Unit? ReadUnit(int at)
    {
        var reader = new Reader(_lines, at, _lines.Length);
        ulong bytes = reader.Length(out bool is64);
        if (reader.IsDamaged || bytes > (ulong)(_lines.Length - reader.Position))
            return null;
        int end = reader.Position + (int)bytes;
        reader = new Reader(_lines, reader.Position, end);
        ushort version = reader.U16();
        if (version is < 2 or > 5)
            return null;
        // The sizes of an address and of a segment selector.
        if (version >= 5)
            reader.Position += 2;
        ulong head = is64 ? reader.U64() : reader.U32();
        if (reader.IsDamaged || head > (ulong)(end - reader.Position))
            return null;
        int program = reader.Position + (int)head;
        byte instruction = reader.U8(), operations = version >= 4 ? reader.U8() : (byte)1;
        _ = reader.U8();
        sbyte lineBase = (sbyte)reader.U8();
        byte range = reader.U8(), opcodeBase = reader.U8();
        int lengths = reader.Position;
        reader.Position += Math.Max(opcodeBase - 1, 0);
        if (reader.IsDamaged || range == 0 || opcodeBase == 0 || reader.Position > program)
            return null;
        return new(version, is64, program, end, instruction, operations, lineBase, range, opcodeBase, lengths, reader.Position);
    }

    private string? FileName(in Unit unit, uint file)
    {
        var reader = new Reader(_lines, unit.Tables, unit.Program);
        if (unit.Version < 5)
            return FileNameBefore5(ref reader, unit, file);
        if (ReadEntries(ref reader, unit, null, out _) is not { } folders)
            return null;
        _ = ReadEntries(ref reader, unit, file, out var found);
        return found is { } entry ? Join(FolderOf(folders, unit, entry.Folder), entry.Name, FolderOf(folders, unit, 0)) : null;
    }

    private string? FileNameBefore5(ref Reader reader, in Unit unit, uint file)
    {
        int first = reader.Position;
        while (reader.Text() is { Length: > 0 })
        {
        }

        for (uint number = 1; !reader.IsDamaged && number <= file; number++)
        {
            string name = reader.Text();
            if (name.Length == 0)
                return null;
            ulong folder = reader.Uleb();
            _ = reader.Uleb();
            _ = reader.Uleb();
            if (number < file)
                continue;
            var names = new Reader(_lines, first, unit.Program);
            string? path = null;
            for (ulong i = 1; i <= folder && !names.IsDamaged; i++)
            {
                path = names.Text();
                if (path.Length == 0)
                    return null;
            }

            // What is relative is so to the folder of the compilation, which stands elsewhere.
            return Join(path, name, root: null);
        }

        return null;
    }

    // A table of paths: how each entry is made, then the entries. The one that was asked for, or where they begin.
    private (int Formats, int Entries, ulong Count)? ReadEntries(
        ref Reader reader, in Unit unit, uint? wanted, out (string Name, ulong Folder)? found)
    {
        found = null;
        int formats = reader.Position;
        byte formatCount = reader.U8();
        if (formatCount > FormatsMax)
            return null;
        for (int i = 0; i < formatCount; i++)
        {
            _ = reader.Uleb();
            _ = reader.Uleb();
        }

        ulong count = reader.Uleb();
        int entries = reader.Position;
        for (ulong i = 0; i < count && !reader.IsDamaged && formatCount > 0; i++)
        {
            if (i == wanted)
                found = ReadEntry(ref reader, unit, formats);
            else if (!SkipEntry(ref reader, unit, formats))
                return null;
        }

        return reader.IsDamaged ? null : (formats, entries, count);
    }

    private string? FolderOf((int Formats, int Entries, ulong Count) table, in Unit unit, ulong number)
    {
        var reader = new Reader(_lines, table.Entries, unit.Program);
        for (ulong i = 0; i < table.Count && i < number; i++)
        {
            if (!SkipEntry(ref reader, unit, table.Formats))
                return null;
        }

        return number < table.Count ? ReadEntry(ref reader, unit, table.Formats)?.Name : null;
    }

    private (string Name, ulong Folder)? ReadEntry(ref Reader reader, in Unit unit, int formats)
    {
        const ulong isPath = 1, isFolder = 2;
        var format = new Reader(_lines, formats, unit.Program);
        string? name = null;
        ulong folder = 0;
        for (int left = format.U8(); left > 0; left--)
        {
            ulong content = format.Uleb(), form = format.Uleb();
            if (content == isPath)
                name = ReadName(ref reader, unit, form);
            else if (!TryReadNumber(ref reader, unit, form, out ulong number))
                return null;
            else if (content == isFolder)
                folder = number;
        }

        return name is null || reader.IsDamaged ? null : (name, folder);
    }

    private bool SkipEntry(ref Reader reader, in Unit unit, int formats)
    {
        var format = new Reader(_lines, formats, unit.Program);
        for (int left = format.U8(); left > 0; left--)
        {
            _ = format.Uleb();
            ulong form = format.Uleb();
            if (form == FormString)
                reader.SkipText();
            else if (!TryReadNumber(ref reader, unit, form, out _))
                return false;
        }

        return !reader.IsDamaged;
    }

    private const ulong FormString = 0x08;
    private const ulong FormDebugName = 0x0e;
    private const ulong FormLineName = 0x1f;

    private string? ReadName(ref Reader reader, in Unit unit, ulong form)
    {
        if (form == FormString)
            return reader.Text();
        if (form is not (FormDebugName or FormLineName) || !TryReadNumber(ref reader, unit, form, out ulong at))
            return null;
        return form == FormLineName ? _elf.LineNameAt(at) : _elf.DebugNameAt(at);
    }

    private static bool TryReadNumber(ref Reader reader, in Unit unit, ulong form, out ulong value)
    {
        const ulong block = 0x09, data1 = 0x0b, data2 = 0x05, data4 = 0x06, data8 = 0x07, data16 = 0x1e, udata = 0x0f;
        const int md5Bytes = 16;
        value = 0;
        switch (form)
        {
            case data1:
                value = reader.U8();
                return true;
            case data2:
                value = reader.U16();
                return true;
            case data4:
                value = reader.U32();
                return true;
            case data8:
                value = reader.U64();
                return true;
            case udata:
                value = reader.Uleb();
                return true;
            case FormDebugName or FormLineName:
                value = unit.Is64 ? reader.U64() : reader.U32();
                return true;
            case data16:
                reader.Position += md5Bytes;
                return true;
            case block:
                ulong bytes = reader.Uleb();
                if (bytes > int.MaxValue)
                    return false;
                reader.Position += (int)bytes;
                return true;
            default:
                return false;
        }
    }

    private static string Join(string? folder, string name, string? root)
    {
        if (name.StartsWith('/') || string.IsNullOrEmpty(folder))
            return name;
        if (!folder.StartsWith('/') && root is { Length: > 0 } && root != folder)
            folder = root + "/" + folder;
        return folder + "/" + name;
    }

    private readonly record struct Run(ulong Start, ulong End, int Unit, int Program);

    private readonly record struct Unit(
        ushort Version, bool Is64, int Program, int End, byte InstructionBytes, byte OperationsMax, sbyte LineBase, byte LineRange,
        byte OpcodeBase, int OpcodeLengths, int Tables);

    // Beyond the end there are zeros, and it is damaged.
    private ref struct Reader(byte[] bytes, int position, int end)
    {
        public int Position = position;

        public readonly bool IsDamaged => Position > end || Position < 0;

        public readonly bool IsAtEnd => Position >= end || Position < 0;

        public byte U8() => IsAtEnd ? Beyond() : bytes[Position++];

        public ushort U16() => Take(sizeof(ushort)) is { IsEmpty: false } two ? BinaryPrimitives.ReadUInt16LittleEndian(two) : (ushort)0;

        public uint U32() => Take(sizeof(uint)) is { IsEmpty: false } four ? BinaryPrimitives.ReadUInt32LittleEndian(four) : 0;

        public ulong U64() => Take(sizeof(ulong)) is { IsEmpty: false } eight ? BinaryPrimitives.ReadUInt64LittleEndian(eight) : 0;

        public ulong Length(out bool is64)
        {
            uint first = U32();
            is64 = first == uint.MaxValue;
            return is64 ? U64() : first;
        }

        public ulong Uleb()
        {
            ulong value = 0;
            for (int shift = 0; ; shift += 7)
            {
                byte one = U8();
                if (shift < 64)
                    value |= (ulong)(one & 0x7f) << shift;
                if ((one & 0x80) == 0)
                    return value;
            }
        }

        public long Sleb()
        {
            long value = 0;
            for (int shift = 0; ;)
            {
                byte one = U8();
                if (shift < 64)
                    value |= (long)(one & 0x7f) << shift;
                shift += 7;
                if ((one & 0x80) != 0)
                    continue;
                if (shift < 64 && (one & 0x40) != 0)
                    value |= -1L << shift;
                return value;
            }
        }

        public string Text()
        {
            var rest = IsAtEnd ? [] : bytes.AsSpan(Position, end - Position);
            int length = rest.IndexOf((byte)0);
            if (length < 0)
            {
                _ = Beyond();
                return "";
            }

            Position += length + 1;
            return Encoding.UTF8.GetString(rest[..Math.Min(length, NameBytesMax)]);
        }

        public void SkipText()
        {
            int length = IsAtEnd ? -1 : bytes.AsSpan(Position, end - Position).IndexOf((byte)0);
            Position = length < 0 ? end + 1 : Position + length + 1;
        }

        private ReadOnlySpan<byte> Take(int count)
        {
            if (IsAtEnd || end - Position < count)
            {
                _ = Beyond();
                return [];
            }

            Position += count;
            return bytes.AsSpan(Position - count, count);
        }

        private byte Beyond()
        {
            Position = end + 1;
            return 0;
        }
    }
}
