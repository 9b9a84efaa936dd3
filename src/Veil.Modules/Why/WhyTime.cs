// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Modules;

/// <summary>The programs of <c>veil why</c>.</summary>
public static class WhyTime
{
    /// <summary>The compiled object.</summary>
    public static byte[] ReadObject() => EmbeddedObject.Read("why");
}
