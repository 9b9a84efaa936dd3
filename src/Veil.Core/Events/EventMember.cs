// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Events;

/// <summary>A member of an event struct, of the struct's own structs too.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Offset">Bytes from the start of the struct.</param>
/// <param name="Size">Its bytes.</param>
/// <param name="Type">Its typedef, which says what it means; <c>enum</c> of an enumeration; empty where it says nothing.</param>
/// <param name="Values">Of an enumeration its enumerators.</param>
public sealed record EventMember(string Name, int Offset, int Size, string Type, IReadOnlyList<(string Name, long Value)> Values);
