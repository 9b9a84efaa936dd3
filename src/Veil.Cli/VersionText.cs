// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;
using Veil.Core.Output;

namespace Veil.Cli;

/// <summary>What <c>--version</c> prints: the version, and the commit that it was built from with that commit's date.</summary>
internal static class VersionText
{
    /// <summary>The version alone.</summary>
    public static string Number => typeof(VersionText).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    /// <summary>Of this program. Only <c>eng/publish</c> tells a build its commit.</summary>
    public static string Own()
    {
        var assembly = typeof(VersionText).Assembly;
        var metadata = assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .ToDictionary(static item => item.Key, static item => item.Value, StringComparer.Ordinal);
        return Of(
            Number, metadata.GetValueOrDefault("Commit"), metadata.GetValueOrDefault("CommitDate"));
    }

    /// <summary>One line, without its end.</summary>
    public static string Of(string version, string? commit, string? date) =>
        $"veil {version} (commit {(string.IsNullOrEmpty(commit) ? "unknown" : commit)}{(string.IsNullOrEmpty(date) ? "" : $", {date}")})";

    /// <summary>Prints it.</summary>
    internal sealed class Action : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            StandardStreams.WriteOutput(Own() + "\n");
            return 0;
        }
    }
}
