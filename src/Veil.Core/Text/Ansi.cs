// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Text;

/// <summary>The colours of the text output: few, and readable on light and dark terminals.</summary>
internal static class Ansi
{
    public const string Reset = "\e[0m";
    public const string Bold = "\e[1m";
    public const string Dim = "\e[2m";
    public const string Cyan = "\e[36m";

    public static ReadOnlySpan<byte> ResetUtf8 => "\e[0m"u8;
}
