// SPDX-License-Identifier: GPL-3.0-only
using Veil.Kernel.Tests;

#pragma warning disable MA0047 // the runtime looks for it outside all namespaces
/// <summary>What the runtime calls first where <c>DOTNET_STARTUP_HOOKS</c> names these tests; it has to be called so.</summary>
internal static class StartupHook
{
    public static void Initialize() => ManagedWorkload.RunIfChosen();
}
