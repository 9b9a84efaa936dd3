// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Counting;
using Veil.Core.Events;
using Veil.Core.Losses;
using Veil.Core.Modules;
using Veil.Core.Output;
using Veil.Core.Recordings;
using Veil.Core.Sinks;
using Veil.Core.Waiting;

namespace Veil.Core.Formats;

/// <summary>What puts a format behind the pipeline.</summary>
/// <param name="format">The format.</param>
/// <param name="modules">The modules, by their numbers.</param>
/// <param name="description">Of the recording.</param>
/// <param name="counting">Keys and weights, or none.</param>
/// <param name="output">The file.</param>
internal sealed class FileExport(
    ExportFormat format, IReadOnlyList<TraceModule> modules, RecordingDescription description, CountOptions? counting, IOutput output) : IExport
{
    private IExportSink? _sink;

    /// <inheritdoc/>
    public IEventSink Begin(EventCatalog catalog, OutputOptions shown, StopSignal stop) => _sink = format.Begin(
        new ExportInput
        {
            Events = catalog,
            Modules = modules,
            Description = description,
            Shown = shown,
            Counting = counting,
            Output = output,
        });

    /// <summary>Hands on the machine as it was.</summary>
    public void Take(RecordedSnapshot snapshot) => _sink?.Take(snapshot);

    /// <inheritdoc/>
    public void TakeLosses(Action<LossKey, LossCount> take)
    {
    }
}
