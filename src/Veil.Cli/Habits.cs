// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using Veil.Cli.Help;
using Veil.Core;
using Veil.Core.Text;
using Veil.Modules;

namespace Veil.Cli;

/// <summary>What people type who know other tracers, with what to type here instead.</summary>
internal static class Habits
{
    /// <summary>Refuses a program to run that does not stand behind two dashes.</summary>
    /// <exception cref="UsageException">There is one; says how to run it.</exception>
    public static void Answer(string[] args, RootCommand root)
    {
        var commands = HelpText.Commands(root).Select(static command => command.Name).ToList();
        string first = args[0];
        if (commands.Contains(first))
            return;
        if (first.StartsWith('-') || NearestName.Find(first, commands).Count > 0)
            return;
        if (ModuleCatalog.All.Any(module => module.Name == first))
            throw new UsageException($"'{first}' is a module; type: veil --module {first}");
        throw new UsageException(
            $"'{Escaping.ForMessage(first)}' is not a command of veil ({string.Join(", ", commands)}); to run a program and trace it: " +
            $"veil -- {string.Join(' ', args.Select(Escaping.ForMessage))}");
    }

    /// <summary>What to type instead of a flag that veil does not have, or nothing.</summary>
    /// <param name="flag">The word, without its <c>=value</c>.</param>
    /// <param name="value">The word after it, or after its <c>=</c>.</param>
    public static string? Flag(string flag, string? value) => flag switch
    {
        "-ff" or "--follow-forks" => "children are followed by -f, --follow",
        "-c" or "-C" or "--summary-only" => "counting is --count: veil --count -- CMD",
        "-e" or "--trace" or "--expr" => Calls(value),
        ['-', 'e', ..] => Calls(flag[2..] == "trace" ? value : flag[2..]),
        "-t" or "-tt" or "-ttt" => "wall-clock time is --enrich time",
        "-T" => "durations and results are --returns",
        "--comm" => $"names are filtered by -n, --name: -n {Shown(value, "NAME")}",
        _ => null,
    };

    /// <summary>What to type instead of a module that veil does not have, or nothing.</summary>
    public static string? Module(string name) => name switch
    {
        "exec" or "execve" or "execsnoop" => "for programs that start: --module syscall --syscall execve,execveat",
        "open" or "opens" or "opensnoop" => "for opened files: --module files --op open",
        "tcp" or "tcpconnect" or "connect" => "for TCP connections: --module network",
        "udp" or "dns" =>
            "of UDP, which DNS runs over, there are its system calls: --module syscall --syscall sendto,sendmsg,sendmmsg,recvfrom,recvmsg",
        "fork" or "child" or "children" => "children are followed by -f, --follow: veil --module syscall -p PID -f",
        "func" or "function" or "funclatency" or "usdt" => "for functions: --module uprobe",
        _ => null,
    };

    private static string Calls(string? value)
    {
        string? calls = value is not null && value.StartsWith("trace=", StringComparison.Ordinal) ? value["trace=".Length..] : value;
        return $"system calls are chosen by -s, --syscall: -s {Shown(calls, "openat,read")}";
    }

    private static string Shown(string? value, string otherwise) =>
        value is { Length: > 0 } && value[0] != '-' ? value.AsSpan().ContainsAny("!*? '") ? $"'{Escaping.ForMessage(value)}'"
            : Escaping.ForMessage(value) : otherwise;
}
