// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Output;

namespace Veil.Core.Tests;

/// <summary>An output that keeps what it takes, up to its limit, as a full disk does.</summary>
internal sealed class MemoryOutput(int bytesMax = int.MaxValue) : IOutput
{
    private readonly List<byte> _bytes = [];

    public string Text => Encoding.UTF8.GetString([.. _bytes]);

    public byte[] Bytes => [.. _bytes];

    public string[] Lines => Text.Split('\n')[..^1];

    public void Write(ReadOnlySpan<byte> lines)
    {
        if (_bytes.Count + lines.Length > bytesMax)
            throw new OutputException("writing the output: no room", closedByReader: false);
        _bytes.AddRange(lines);
    }
}
