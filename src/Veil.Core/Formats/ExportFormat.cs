// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Formats;

/// <summary>A form in which another program takes what was recorded: one of <see cref="ExportFormats.All"/>.</summary>
internal abstract class ExportFormat
{
    /// <summary>The word of <c>--to</c>.</summary>
    public abstract string Name { get; }

    /// <summary>What the name of its file ends in, with the dot.</summary>
    public abstract string Ending { get; }

    /// <summary>What it is for, in a few words.</summary>
    public abstract string Summary { get; }

    /// <summary>Does it hold keys and weights (<c>--count-by</c>, <c>--sum</c>), and no events?</summary>
    public virtual bool HoldsCounts => false;

    /// <summary>Does it hold all fields of an event, so that <c>--fields</c> can choose among them?</summary>
    public virtual bool TakesFields => false;

    /// <summary>Can a terminal show it?</summary>
    public virtual bool IsText => true;

    /// <summary>Makes the stage that takes the events and writes the file.</summary>
    /// <exception cref="UsageException">It cannot hold what is asked for.</exception>
    public abstract IExportSink Begin(ExportInput input);
}
