// SPDX-License-Identifier: GPL-3.0-only
using System.Text.RegularExpressions;
using Veil.Bpf;
using Veil.Core.Kernel;

namespace Veil.Kernel.Tests;

/// <summary>The parameters of calls beside those that the running kernel's tracefs shows.</summary>
public sealed partial class SyscallParametersTests
{
    private const string Events = "/sys/kernel/tracing/events/syscalls";

    // tracefs names the kernel's function where the table of numbers has another name.
    private static readonly Dictionary<string, string> s_functions = new()
    {
        ["newstat"] = "stat",
        ["newlstat"] = "lstat",
        ["newfstat"] = "fstat",
        ["newuname"] = "uname",
        ["umount"] = "umount2",
        ["sendfile64"] = "sendfile",
    };

    // What the headers that the table was made of have newer than the running kernel.
    private static readonly Dictionary<string, string> s_newer = new()
    {
        ["bpf"] = "cmd uattr size attr_common size_common",
    };

    [TracefsFact]
    public void Of_CallWithTracepoint_NamesTheSameParameters()
    {
        int compared = 0;
        List<string> different = [];
        foreach (string folder in Directory.EnumerateDirectories(Events, "sys_enter_*"))
        {
            string function = Path.GetFileName(folder)["sys_enter_".Length..];
            string name = s_functions.GetValueOrDefault(function, function);
            if (!SyscallTable.For(SyscallArch.X64).TryGetNumber(name, out int number))
            {
                different.Add($"{name}: not in the table");
                continue;
            }

            string ours =
                string.Join(' ', SyscallParameters.Of(SyscallArch.X64, number).ToArray().Select(static parameter => parameter.Name));
            // The first field of a call's own is the number of the call.
            string theirs = string.Join(
                ' ', Field().Matches(File.ReadAllText(Path.Combine(folder, "format"))).Skip(1)
                    .Select(static match => match.Groups["name"].Value));
            compared++;
            if (ours != theirs && s_newer.GetValueOrDefault(name) != ours)
                different.Add($"{name}: {ours}; tracefs: {theirs}");
        }

        different.ShouldBeEmpty();
        compared.ShouldBeGreaterThan(300);
    }

    [GeneratedRegex(@"^\tfield:[^;]*?(?<name>(?!common_)\b\w+);\toffset", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Field();

    /// <summary>Parameters have been renamed over the years: only a recent kernel can be compared with.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class TracefsFactAttribute : FactAttribute
    {
        public TracefsFactAttribute()
        {
            if (KernelFeatures.KernelVersion < new Version(6, 18))
                Skip = "before Linux 6.18: some parameters had other names";
            else if (SyscallTable.Native != SyscallArch.X64)
                Skip = "the table of x86-64 is compared";
            else if (!Directory.Exists(Events))
                Skip = "no tracefs, or a kernel without events of single calls";
        }
    }
}
