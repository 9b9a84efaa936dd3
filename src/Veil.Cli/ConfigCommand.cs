// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using Veil.Cli.Config;
using Veil.Core;
using Veil.Core.Output;
using Veil.Core.Text;

namespace Veil.Cli;

/// <summary><c>veil config validate</c>: checks files without root and without the kernel.</summary>
internal static class ConfigCommand
{
    /// <summary>The command for the parser.</summary>
    public static Command Create()
    {
        var files = new Argument<string[]>("FILE") { Description = "configuration files", Arity = ArgumentArity.OneOrMore };
        var validate = new Command("validate", "check files and all of their profiles; exit code 2 if one is wrong") { files };
        validate.SetAction(parsed => Validate(parsed.GetValue(files)!));
        return new Command("config", "check configuration files") { validate };
    }

    private static int Validate(string[] files)
    {
        bool allRight = true;
        foreach (string file in files)
        {
            try
            {
                var config = ConfigFile.Read(file);
                string?[] profiles =
                    config.Profiles is { Count: > 0 } all ? [.. all, .. config.HasDefault ? (string?[])[null] : []] : [null];
                var mistakes = profiles.SelectMany(config.Mistakes).Distinct(StringComparer.Ordinal).ToList();
                mistakes.ForEach(Messages.Write);
                allRight &= mistakes.Count == 0;
                if (mistakes.Count == 0)
                    StandardStreams.WriteOutput(
                        Escaping.Visible(
                        config.Profiles.Count == 0 ? $"{file}: right" : $"{file}: right ({string.Join(", ", config.Profiles)})") + "\n");
            }
            catch (UsageException wrong)
            {
                Messages.Write(wrong.Message);
                allRight = false;
            }
        }

        return allRight ? ExitCode.Success : ExitCode.Usage;
    }
}
