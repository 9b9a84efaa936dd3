// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using Veil.Core;
using Veil.Core.Comparing;
using Veil.Core.Output;
using Veil.Core.Recordings;
using Veil.Core.Session;
using Veil.Core.Sinks;
using Veil.Core.Text;
using Veil.Modules;

namespace Veil.Cli;

/// <summary><c>veil diff</c>: what differs between two runs of a command.</summary>
internal static class DiffCommand
{
    private const int Same = 0, Different = 1, Trouble = 2;

    /// <summary>The command for the parser.</summary>
    public static Command Create()
    {
        var good = new Argument<string>("GOOD") { Description = "the recording of the run that went well; - is standard input" };
        var bad = new Argument<string>("BAD") { Description = "the recording of the run that did not" };
        var output =
            new Option<string>("--output", "-o")
            {
                HelpName = "text|json",
                Description = "the form of the report; json is one object, with all that text leaves out [text]",
            };
        var time =
            new Option<bool>("--time")
            {
                Description = "what calls took too, where one run took twice as long; time alone is no difference",
            };
        var command =
            new Command(
            "diff",
            "what differs between two recordings of the same command: the first difference in the order of calls, then by process; ends " +
            "with 0 if nothing does, 1 if something does, 2 if that cannot be said") { good, bad };
        command.Add(output);
        command.Add(time);
        command.SetAction(parsed => Run(
            parsed.GetValue(good)!, parsed.GetValue(bad)!, OutputFormats.Parse(parsed.GetValue(output)), parsed.GetValue(time)));
        return command;
    }

    private static int Run(string goodPath, string badPath, OutputFormat format, bool withTime)
    {
        StandardStreams.RequireOutput();
        if (goodPath == "-" && badPath == "-")
            throw new UsageException("diff: standard input is one recording; name the file of the other");
        try
        {
            using var good = ReplayTrace.Open([goodPath], ModuleCatalog.All);
            using var bad = ReplayTrace.Open([badPath], ModuleCatalog.All);
            var kinds = Kinds(good, bad);
            var texts = new TextTable();
            DiffReport.Side one = Read(goodPath, good, kinds, texts), other = Read(badPath, bad, kinds, texts);
            var comparison = new RunComparison(one.Run, other.Run);
            if (texts.IsFull)
                Messages.Write("warning: there are more different calls than fit in memory; of the last ones only names are compared");
            var report = new DiffReport(comparison, texts, one, other);
            StandardStreams.WriteOutput(format == OutputFormat.Json ? report.Json(withTime) : report.Text(withTime));
            // What is missing of a file would look like a difference.
            if (one.Run.IsIncomplete || other.Run.IsIncomplete)
                return Trouble;
            return comparison.First is not null ? Different : one.Run.IsCut || other.Run.IsCut ? Trouble : Same;
        }
        catch (VeilException cause) when (cause is not UsageException and not OutputException and not RecordingException)
        {
            Messages.Write(cause.Message);
            return Trouble;
        }
    }

    private static HashSet<string> Kinds(ReplayTrace good, ReplayTrace bad)
    {
        HashSet<string> one = RunReader.KindsOf(good), other = RunReader.KindsOf(bad), both = [.. one.Intersect(other)];
        string Names(IEnumerable<string> kinds) => string.Join(", ", kinds.Select(Escaping.ForMessage));
        if (both.Count == 0)
            throw new UsageException(
                one.Count == 0 || other.Count == 0
                ? "diff: nothing in order was recorded; record calls (veil --record FILE -- COMMAND), or --module process, files, network"
                : $"diff: GOOD has {Names(one)} and BAD has {Names(other)}: record both with the same flags");
        one.SymmetricExceptWith(other);
        if (one.Count > 0)
            Messages.Write($"warning: only in one of the recordings, and not compared: {Names(one)}");
        return both;
    }

    private static DiffReport.Side Read(string path, ReplayTrace trace, HashSet<string> kinds, TextTable texts)
    {
        trace.Use();
        var run = RunReader.Read(trace, kinds, texts, text => Messages.Write($"{Escaping.ForMessage(path)}: {text}"));
        string name = path == "-" ? "standard input" : Escaping.ForMessage(path);
        if (run.Lost > 0)
            Messages.Write($"warning: {name}: {run.Lost} events were lost while it was recorded; what they were is missing here");
        if (run.IsCut)
            Messages.Write($"warning: {name}: only its first {Core.Comparing.Run.EventsMax} events are compared");
        return new(path, trace.Description, run);
    }
}
