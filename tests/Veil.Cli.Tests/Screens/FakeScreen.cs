// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Output;

namespace Veil.Cli.Tests.Screens;

/// <summary>A terminal whose size the test says.</summary>
internal sealed class FakeScreen(int columns, int rows) : IScreen
{
    public (int Columns, int Rows) Size { get; set; } = (columns, rows);
}

/// <summary>An output that keeps everything.</summary>
internal sealed class Collected : IOutput
{
    public StringBuilder Text { get; } = new();

    public void Write(ReadOnlySpan<byte> lines) => Text.Append(Encoding.UTF8.GetString(lines));
}
