// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Kernel.Tests;

/// <summary>A fact about containers of a runtime. Skipped, with the reason, where <c>eng/peers</c> has not fetched it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RuntimeFactAttribute : FactAttribute
{
    /// <summary>Asks for one.</summary>
    /// <param name="program">Its program.</param>
    public RuntimeFactAttribute(string program) => Skip = File.Exists(Path.Combine(Root, "usr/bin", program)) && RuncFactAttribute.Exists ? null
        : $"there is no {program} to make containers with: eng/peers fetches it";

    /// <summary>The folder that its packages are unpacked in.</summary>
    public static string Root { get; } = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(StraceFile.Program))!, "runtimes");
}
