namespace Veil.Core.Events;

/// <summary>Where a value lies in the records of one kind, and how it is read and shown.</summary>
/// <param name="Format">How.</param>
/// <param name="Offset">Bytes from the start of the record.</param>
/// <param name="Size">Bytes in the record; 0 where the value is not of the record.</param>
/// <param name="Names">The enumerators' names by their value, with holes; of a constant the one value. UTF-8.</param>
public sealed record EventValue(FieldFormat Format, int Offset = 0, int Size = 0, byte[]?[]? Names = null)
{
    /// <summary>Its bytes in a record.</summary>
    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> record) => record.Slice(Offset, Size);

    /// <summary>The part of a record whose place it holds. The record was checked: <see cref="EventSchema.IsWhole"/>.</summary>
    public EventPart PartOf(ReadOnlySpan<byte> record) => new(Of(record));
}
