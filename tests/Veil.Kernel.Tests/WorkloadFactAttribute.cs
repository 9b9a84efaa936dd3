// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Kernel.Tests;

/// <summary>A fact that needs a file of the workloads, and is skipped, with the reason, where that was not built: the initramfs of a guest
/// has no dynamic linker.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class WorkloadFactAttribute : FactAttribute
{
    public WorkloadFactAttribute(string file)
    {
        File = file;
        if (!System.IO.File.Exists(Path.Combine(Repository.Root, "artifacts/workloads", file)))
            Skip = $"{file} is not built here";
    }

    public string File { get; }
}
