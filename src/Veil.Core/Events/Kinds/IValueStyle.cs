// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>What differs between the outputs in writing a value.</summary>
internal interface IValueStyle
{
    /// <summary>Opens or closes the quotes of a word that needs no escapes.</summary>
    static abstract void Quote(ref LineWriter line);

    /// <summary>Appends bytes of a process or a file system.</summary>
    /// <returns>The number of characters that they show.</returns>
    static abstract int Text(ref LineWriter line, scoped ReadOnlySpan<byte> raw);

    /// <summary>Appends a path that is there.</summary>
    /// <returns>As <see cref="Text"/>.</returns>
    static abstract int Path(ref LineWriter line, EventPart part, ReadOnlySpan<byte> record);

    /// <summary>Appends the word for what cannot be known.</summary>
    /// <returns>As <see cref="Text"/>, and so do the others.</returns>
    static abstract int Unknown(ref LineWriter line);

    /// <summary>Appends what stands for an error's name where there is no error.</summary>
    static abstract int NoError(ref LineWriter line);

    /// <summary>Appends a point in time, nanoseconds since 1970.</summary>
    static abstract void Time(ref LineWriter line, long wallTimeNs);
}
