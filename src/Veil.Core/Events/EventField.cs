namespace Veil.Core.Events;

/// <summary>A named value of an event: a JSON key, a name for <c>--fields</c>.</summary>
/// <param name="Name">As users write it.</param>
/// <param name="Format">How it is shown.</param>
/// <param name="Offset">Bytes from the start of the record.</param>
/// <param name="Size">Bytes in the record; 0 where the value is not of the record.</param>
public readonly record struct EventField(string Name, FieldFormat Format, int Offset, int Size);
