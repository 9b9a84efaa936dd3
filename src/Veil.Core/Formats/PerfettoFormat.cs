// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Formats;

/// <summary>Perfetto's own form: a <c>perfetto.protos.Trace</c>.</summary>
internal sealed class PerfettoFormat : ExportFormat
{
    public override string Name => "perfetto";

    public override string Ending => ".perfetto-trace";

    public override string Summary => "a time line for ui.perfetto.dev, which reads it in the browser and sends it nowhere";

    public override bool TakesFields => true;

    public override bool IsText => false;

    public override IExportSink Begin(ExportInput input) => new PerfettoSink(input);
}
