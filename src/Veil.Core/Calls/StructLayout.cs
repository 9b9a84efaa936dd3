// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Calls;

/// <summary>A structure of C, from its fields in their order. Their places follow, also where addresses and <c>long</c> have 4 bytes.</summary>
internal sealed class StructLayout
{
    private readonly StructField[] _fields;
    private readonly int[] _places;
    private readonly int[] _places32;

    public StructLayout(params StructField[] fields)
    {
        _fields = fields;
        (_places, Size) = Place(is32Bit: false);
        (_places32, Size32) = Place(is32Bit: true);
    }

    /// <summary>Does strace show only the fields that are named here?</summary>
    public bool IsAbbreviated { get; init; }

    /// <summary>Bytes up to the end of the last field.</summary>
    public int Size { get; }

    /// <summary>The same where <c>long</c> has 4.</summary>
    public int Size32 { get; }

    /// <summary>An argument that points to one, which the call reads.</summary>
    public Argument Input => new StructArgument(Size, Write) { Size32 = Size32 };

    /// <summary>An argument that points to one, which the call fills.</summary>
    public Argument Output => new StructArgument(Size, Write) { Size32 = Size32, IsOutput = true };

    /// <summary>Writes it.</summary>
    public void Write(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.BeginStruct();
        WriteFields(ref writer, bytes, call);
        writer.EndStruct();
    }

    /// <summary>Writes its fields, of those whole ones that are there.</summary>
    public void WriteFields(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        int[] places = call.Is32Bit ? _places32 : _places;
        for (int index = 0; index < _fields.Length; index++)
        {
            var field = _fields[index];
            int size = field.Size(call.Is32Bit);
            if (places[index] + size > bytes.Length)
                break;
            if (field.Name.Length == 0)
                continue;
            writer.Field(field.Name);
            field.Write(ref writer, bytes.Slice(places[index], size), call);
        }

        if (IsAbbreviated)
            writer.More();
    }

    private (int[] Places, int Size) Place(bool is32Bit)
    {
        int[] places = new int[_fields.Length];
        int at = 0;
        for (int index = 0; index < places.Length; index++)
        {
            int size = _fields[index].Size(is32Bit), alignment = Math.Min(size, is32Bit ? 4 : 8);
            if (_fields[index].Name.Length > 0 && !_fields[index].IsText)
                at = (at + alignment - 1) / alignment * alignment;
            places[index] = at;
            at += size;
        }

        return (places, at);
    }
}
