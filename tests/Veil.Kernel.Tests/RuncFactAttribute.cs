// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Kernel.Tests;

/// <summary>A fact about containers of runc. Skipped, with the reason, where <c>eng/peers</c> has not fetched it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RuncFactAttribute : FactAttribute
{
    public RuncFactAttribute() => Skip = Exists ? null : "there is no runc to make containers with: eng/peers fetches it";

    public static string Path => System.IO.Path.Combine(System.IO.Path.GetDirectoryName(StraceFile.Program)!, "runc");

    public static bool Exists => File.Exists(Path);
}
