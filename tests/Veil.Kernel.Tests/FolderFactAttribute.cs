// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Core.Kernel;

namespace Veil.Kernel.Tests;

/// <summary>A test that needs one of some files or folders, such as a cgroup's controller; where there is none it is skipped, with that as its reason.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FolderFactAttribute : FactAttribute
{
    public FolderFactAttribute(params string[] folders)
    {
        Folders = folders;
        if (!Array.Exists(folders, Path.Exists))
            Skip = $"there is no {string.Join(" and no ", folders)}";
    }

    public IReadOnlyList<string> Folders { get; }
}

/// <summary>A test that needs to know where this kernel keeps the count of interrupts under way.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PreemptCountFactAttribute : FactAttribute
{
    public PreemptCountFactAttribute()
    {
        if (PreemptCount.BytesFromRunQueue == 0 && RuntimeInformation.ProcessArchitecture == Architecture.X64)
            Skip = "this kernel's BTF has no variables";
    }
}
