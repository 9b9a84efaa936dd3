// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Formats.Html;
using Veil.Core.Formats.Parquet;

namespace Veil.Core.Formats;

/// <summary>The formats of <c>veil export --to</c>. One more is one more line.</summary>
internal static class ExportFormats
{
    /// <summary>All, in the order in which they are listed.</summary>
    public static IReadOnlyList<ExportFormat> All { get; } =
    [
        new PerfettoFormat(),
        new ChromeFormat(),
        new HtmlFormat(),
        new FoldedFormat(),
        new SpeedscopeFormat(),
        new ParquetFormat(),
    ];
}
