// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Formats;

/// <summary>JSON of Chrome's tracing ("Trace Event Format").</summary>
internal sealed class ChromeFormat : ExportFormat
{
    public override string Name => "chrome";

    public override string Ending => ".trace.json";

    public override string Summary => "a time line in JSON, for chrome://tracing and what reads its format";

    public override bool TakesFields => true;

    public override IExportSink Begin(ExportInput input) => new ChromeSink(input);
}
