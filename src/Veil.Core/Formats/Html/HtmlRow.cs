// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Formats.Html;

/// <summary>An event of the page's table. Names are places in <see cref="HtmlNames"/>, 0 for none.</summary>
/// <param name="TimeNs">When it was over, in nanoseconds since the first event.</param>
/// <param name="DurationNs">How long it took; negative where that is not known.</param>
/// <param name="Process">The place of its process in the page's list.</param>
/// <param name="Tid">The thread.</param>
/// <param name="Module">The module.</param>
/// <param name="Name">The call or operation.</param>
/// <param name="Error">What it failed with.</param>
/// <param name="Path">The file.</param>
/// <param name="Peer">The other end of a connection.</param>
/// <param name="Text">All of it, in UTF-8.</param>
internal readonly record struct HtmlRow(
    long TimeNs, long DurationNs, int Process, uint Tid, int Module, int Name, int Error, int Path, int Peer, byte[] Text);
