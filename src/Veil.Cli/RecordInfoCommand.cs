// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using Veil.Core;
using Veil.Core.Output;
using Veil.Core.Recordings;

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
        command.SetAction(parsed => Run(parsed.GetValue(files)!));
        return command;
    }

    private static int Run(string[] paths)
    {
        StandardStreams.RequireOutput();
        bool isWhole = true;
        foreach (var (number, path) in paths.Index())
        {
            using var reader = RecordingReader.Open(path);
            var info = RecordingInfo.Read(reader, path);
            StandardStreams.WriteOutput((number > 0 ? "\n" : "") + info.Text());
            isWhole &= info.Missing is null;
            if (info.Missing is { } missing)
                Messages.Write(missing);
        }

        return isWhole ? ExitCode.Success : ExitCode.Failure;
    }
}
