// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using BenchmarkDotNet.Attributes;
using Veil.Core.Text;

namespace Veil.MicroBench;

/// <summary>Names of processes and files on their way to the terminal.</summary>
public class Escapes
{
    private readonly byte[] _line = new byte[8192];
    private readonly byte[] _plain = "postgres"u8.ToArray();
    private readonly byte[] _foreign = Encoding.UTF8.GetBytes("größe-数据");
    private readonly byte[] _hostile = [0x1b, (byte)'[', (byte)'3', (byte)'1', (byte)'m', (byte)'X', (byte)'\n', 0xff, (byte)'"'];
    private readonly byte[] _path = Encoding.UTF8.GetBytes("/usr/share/" + new string('a', 100) + "/file");

    [Benchmark]
    public int TextPlain() => Text(_plain);

    [Benchmark]
    public int TextForeign() => Text(_foreign);

    [Benchmark]
    public int TextHostile() => Text(_hostile);

    [Benchmark]
    public int TextPath() => Text(_path);

    [Benchmark]
    public int JsonPlain() => Json(_plain);

    [Benchmark]
    public int JsonHostile() => Json(_hostile);

    private int Text(byte[] raw)
    {
        var line = new LineWriter(_line);
        Escaping.AppendText(ref line, raw);
        return line.Length;
    }

    private int Json(byte[] raw)
    {
        var line = new LineWriter(_line);
        Escaping.AppendJson(ref line, raw);
        return line.Length;
    }
}
