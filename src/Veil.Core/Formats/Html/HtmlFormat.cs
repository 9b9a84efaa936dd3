// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Formats.Html;

/// <summary>One page for a browser that needs nothing else: no network, no server, no tool.</summary>
internal sealed class HtmlFormat : ExportFormat
{
    public override string Name => "html";

    public override string Ending => ".html";

    public override string Summary => "one page for a browser, to hand to a colleague: time line, tables, heat map, processes, events";

    public override IExportSink Begin(ExportInput input) => new HtmlSink(input);
}
