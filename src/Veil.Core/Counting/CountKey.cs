// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;

namespace Veil.Core.Counting;

/// <summary>A field that events are counted by.</summary>
/// <param name="Field">The field.</param>
/// <param name="Kind">How the kernel finds its value.</param>
/// <param name="Place">Where its bytes begin in the key.</param>
/// <param name="Bytes">How many they are.</param>
internal sealed record CountKey(EventField Field, KeyKind Kind, int Place, int Bytes)
{
    /// <summary>Is it text, which needs not be whole?</summary>
    public bool IsText => Kind is KeyKind.Path or KeyKind.Argument;

    /// <summary>Its bytes in a key.</summary>
    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> key) => key.Slice(Place, Bytes);

    // struct veil_count_field
    [StructLayout(LayoutKind.Sequential)]
    internal record struct Native(uint Kind, uint Offset, uint Size, uint Place, uint OfOrigin, uint OriginOffset);
}
