// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using System.Text;
using System.Text.Json;
using Veil.Core;
using Veil.Core.Doctor;
using Veil.Core.Output;
using Veil.Core.Sinks;
using Veil.Core.Text;
using Veil.Modules;

namespace Veil.Cli;

/// <summary><c>veil doctor</c>: what this kernel and these privileges allow.</summary>
internal static class DoctorCommand
{
    /// <summary>The command for the parser.</summary>
    public static Command Create()
    {
        var output = new Option<string>("--output", "-o") { HelpName = "text|json", Description = "the form of the report [text]" };
        var command =
            new Command("doctor", "say what this kernel and these privileges allow, module by module; exit code 1 if one cannot run")
        {
            output,
        };
        command.SetAction(parsed => Run(OutputFormats.Parse(parsed.GetValue(output))));
        return command;
    }

    private static int Run(OutputFormat format)
    {
        var report = SystemReport.Create(ModuleCatalog.All);
        StandardStreams.WriteOutput(format == OutputFormat.Json ? Json(report) : Text(report));
        return report.Modules.All(static module => module.Hook is not null) ? ExitCode.Success : ExitCode.Failure;
    }

    // A line of the report is one line, which scripts look for; on a terminal it goes on below itself.
    private static string Text(SystemReport report)
    {
        var text = new StringBuilder();
        int columns = TerminalScreen.Of(StandardStreams.Output)?.Size.Columns ?? int.MaxValue;
        Line("kernel", report.Kernel);
        Line("BTF", report.HasBtf ? "yes" : "no: /sys/kernel/btf/vmlinux is missing, and nothing works without (CONFIG_DEBUG_INFO_BTF)");
        Line("privileges", report.MissingPrivileges is { } missing ? $"{missing} missing: run it as root, or with CAP_BPF and CAP_PERFMON"
            : "enough");
        Line("lockdown", report.Lockdown ?? "not in this kernel");
        Line("memlock", report.Memlock + (report.Memlock == "unlimited" ? "" : " (counts before Linux 5.11 only)"));
        Line("tracefs", report.HasTracefs ? "mounted"
            : "not mounted, or not readable: mount -t tracefs tracefs /sys/kernel/tracing (the tracepoint hooks need it)");
        text.AppendLine();
        foreach (var module in report.Modules)
        {
            Line(module.Module, module.Hook is { } hook ? $"by {hook}" : "cannot run here");
            foreach (var rung in module.Rungs.TakeWhile(rung => rung.Name != module.Hook))
                Wrapped("  ", $"not by {rung.Name}: {Escaping.Visible(rung.Reason ?? "")}");
            foreach (string gap in module.Gaps)
                Wrapped("  ", "does not see " + gap);
        }

        return text.ToString();

        void Line(string name, string value) => Wrapped(name.PadRight(12), Escaping.Visible(value));

        void Wrapped(string beginning, string value)
        {
            string indent = new(' ', Math.Max(beginning.Length, 4));
            foreach (var (number, line) in WordWrap.Lines(value, columns - indent.Length).Index())
                text.Append(number == 0 ? beginning : indent).AppendLine(line);
        }
    }

    private static string Json(SystemReport report)
    {
        using var memory = new MemoryStream();
        using (var json = new Utf8JsonWriter(memory, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("kernel", report.Kernel);
            json.WriteBoolean("btf", report.HasBtf);
            json.WriteString("missing_privileges", report.MissingPrivileges);
            json.WriteString("lockdown", report.Lockdown);
            json.WriteString("memlock", report.Memlock);
            json.WriteBoolean("tracefs", report.HasTracefs);
            json.WriteStartObject("modules");
            foreach (var module in report.Modules)
            {
                json.WriteStartObject(module.Module);
                json.WriteString("hook", module.Hook);
                json.WriteStartObject("hooks");
                foreach (var rung in module.Rungs)
                {
                    json.WriteStartObject(rung.Name);
                    json.WriteBoolean("possible", rung.Reason is null);
                    json.WriteString("reason", rung.Reason);
                    json.WriteEndObject();
                }

                json.WriteEndObject();
                json.WriteStartArray("gaps");
                foreach (string gap in module.Gaps)
                    json.WriteStringValue(gap);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(memory.ToArray()) + "\n";
    }
}
