// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Modules;

/// <summary>The programs behind <c>--enrich exe</c>.</summary>
public static class ExecutableWatch
{
    /// <summary>The compiled object.</summary>
    public static byte[] ReadObject() => EmbeddedObject.Read("exe");
}
