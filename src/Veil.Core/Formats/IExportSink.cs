// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Recordings;
using Veil.Core.Sinks;

namespace Veil.Core.Formats;

/// <summary>Takes what was recorded, and writes a file. <see cref="IEventSink.End"/> writes what is still missing of it.</summary>
internal interface IExportSink : IEventSink
{
    /// <summary>Takes the machine as it was when a file of the recording began: once a file, before the events of that.</summary>
    void Take(RecordedSnapshot snapshot)
    {
    }
}
