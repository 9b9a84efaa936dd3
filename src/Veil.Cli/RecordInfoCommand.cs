// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using Veil.Core;
using Veil.Core.Output;
using Veil.Core.Recordings;
using Veil.Core.Sinks;
using Veil.Core.Text;

namespace Veil.Cli;

/// <summary><c>veil record-info</c>: what a recording is of.</summary>
internal static class RecordInfoCommand
{
    /// <summary>The command for the parser.</summary>
    public static Command Create()
    {
        var files = new Argument<string[]>("FILE")
        {
            Description = "what --record wrote; - is standard input",
            Arity = ArgumentArity.OneOrMore,
        };
        var command =
            new Command("record-info", "say what a recording is of: where, when, how many events by module and process, losses") { files };
        var output =
            new Option<string>("--output", "-o") { HelpName = "text|json", Description = "json is one object a line for each file, with all processes [text]" };
        command.Add(output);
        command.SetAction(parsed => Run(parsed.GetValue(files)!, OutputFormats.Parse(parsed.GetValue(output))));
        return command;
    }

    private static int Run(string[] paths, OutputFormat format)
    {
        if (Array.Find(paths, static path => path.Length > 1 && path[0] == '-') is { } flag)
            throw new UsageException(
                $"unknown flag '{Escaping.ForMessage(flag)}'; see veil help record-info (a file of that name is ./{Escaping.ForMessage(flag)})");
        StandardStreams.RequireOutput();
        bool isWhole = true;
        foreach (var (number, path) in paths.Index())
        {
            using var reader = RecordingReader.Open(path);
            var info = RecordingInfo.Read(reader, path);
            StandardStreams.WriteOutput(format == OutputFormat.Json ? info.Json() : (number > 0 ? "\n" : "") + info.Text());
            isWhole &= info.Missing is null;
            if (info.Missing is { } missing)
                Messages.Write(missing);
        }

        return isWhole ? ExitCode.Success : ExitCode.Failure;
    }
}
