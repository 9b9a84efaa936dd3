// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Runtime.InteropServices;
using Veil.Bpf;
using Veil.Core.Interop;
using Veil.Core.Modules;
using Veil.Core.Privileged;
using Veil.Core.Sources;

namespace Veil.Core.Doctor;

/// <summary>What this kernel and these privileges allow.</summary>
public sealed record SystemReport
{
    /// <summary>Release and machine.</summary>
    public required string Kernel { get; init; }

    /// <summary>Is the kernel's BTF there? Nothing works without.</summary>
    public required bool HasBtf { get; init; }

    /// <summary>Which capability is missing; nothing where none is.</summary>
    public required string? MissingPrivileges { get; init; }

    /// <summary>The lockdown mode; nothing where the kernel has none.</summary>
    public required string? Lockdown { get; init; }

    /// <summary>The limit of locked memory, bytes or <c>unlimited</c>. It counts before Linux 5.11 only.</summary>
    public required string Memlock { get; init; }

    /// <summary>Is tracefs mounted where tracepoints are looked up?</summary>
    public required bool HasTracefs { get; init; }

    /// <summary>Every module.</summary>
    public required IReadOnlyList<ModuleReport> Modules { get; init; }

    /// <summary>Looks, and attaches each module in each of its ways for an instant, to this process alone.</summary>
    public static SystemReport Create(IReadOnlyList<TraceModule> modules)
    {
        string? missing = Privileges.Missing();
        string? hopeless =
            !KernelFeatures.HasBtf ? "the kernel's BTF is missing" : missing is null ? null : $"this process lacks {missing}";
        return new SystemReport
        {
            Kernel = $"{KernelFeatures.KernelVersion} {(RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "x86_64")}",
            HasBtf = KernelFeatures.HasBtf,
            MissingPrivileges = missing,
            Lockdown = KernelFeatures.Lockdown,
            Memlock = ReadMemlock(),
            HasTracefs = Directory.Exists("/sys/kernel/tracing/events") || Directory.Exists("/sys/kernel/debug/tracing/events"),
            // The hooks of the module that is attached: those of another instance are not the same to it.
            Modules = [.. modules.Select(static module => module.ForDoctor()).Select(module => new ModuleReport(
                module.Name,
                [.. module.Rungs.Select(rung => new RungReport(rung.Name, hopeless ?? ModuleLoader.WhyNot(module, rung)))],
                [.. module.Gaps()]))],
        };
    }

    private static string ReadMemlock()
    {
        const int rlimitMemlock = 8;
        ulong bytes = LibC.LimitOf(rlimitMemlock);
        return bytes == ulong.MaxValue ? "unlimited" : bytes.ToString(CultureInfo.InvariantCulture);
    }
}
