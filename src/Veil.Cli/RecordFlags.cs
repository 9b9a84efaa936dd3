// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using Veil.Core;
using Veil.Core.Counting;
using Veil.Core.Options;
using Veil.Core.Sinks;
using Veil.Core.Text;

namespace Veil.Cli;

/// <summary>The flags that record, checked together.</summary>
internal static class RecordFlags
{
    /// <summary>How the trace is recorded, or nothing.</summary>
    /// <exception cref="UsageException">A value is wrong, or a flag would be ignored.</exception>
    public static RecordOptions? Read(ParseResult parsed, TraceFlags flags, OutputFormat format, string? written, CountOptions? counting)
    {
        if (parsed.GetValue(flags.Record) is not { } path)
        {
            if (format == OutputFormat.None)
                throw new UsageException("--output none: nothing would come of the trace; record it with --record FILE");
            return parsed.GetValue(flags.Force) ? throw new UsageException("--force: there is nothing to replace without --record FILE") : null;
        }

        if (path.Length == 0)
            throw new UsageException($"--record: {EmptyValue.Explain(path)}; give the name of a file");
        if (path == "-")
            throw new UsageException("--record: a recording is a file and not a stream; give its name (./- for one that is called -)");
        if (counting is not null)
            throw new UsageException("--record: keeps events, and counting has none; leave one of them out");
        if (format == OutputFormat.None && written is not null)
            throw new UsageException("--write: --output none writes nothing; leave one of them out");
        return new RecordOptions(path, parsed.GetValue(flags.Force), null, null) { Veil = VersionText.Own() };
    }
}
