// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Output;

namespace Veil.Core.Tests.Sinks;

public sealed class OutputBufferTests
{
    [Fact]
    public void Flush_ManyLines_IsOneWrite()
    {
        var output = new Recorder();
        var buffer = new OutputBuffer(output, 100);
        for (int i = 0; i < 10; i++)
            AddLine(buffer);
        output.Writes.ShouldBeEmpty();
        buffer.EventsWritten.ShouldBe(0UL);
        buffer.Flush();
        buffer.Flush();

        output.Writes.ShouldBe([60]);
        buffer.EventsWritten.ShouldBe(10UL);
    }

    [Fact]
    public void BeginLine_BatchIsFull_WritesWholeLines()
    {
        var output = new Recorder();
        var buffer = new OutputBuffer(output, 100);
        for (int i = 0; i < OutputBuffer.BatchBytes / 6 * 2; i++)
            AddLine(buffer);

        output.Writes.Count.ShouldBe(1);
        (output.Writes[0] % 6).ShouldBe(0);
        output.Writes[0].ShouldBeGreaterThanOrEqualTo(OutputBuffer.BatchBytes);
    }

    [Fact]
    public void Flush_OutputFails_CountsNothingAsWritten()
    {
        var output = new Recorder { Fails = true };
        var buffer = new OutputBuffer(output, 100);
        AddLine(buffer);
        Should.Throw<OutputException>(buffer.Flush);
        output.Fails = false;
        buffer.Flush();

        buffer.EventsWritten.ShouldBe(0UL);
        output.Writes.ShouldBeEmpty();
    }

    /// <summary>What a full disk still took is delivered, and notices among it are no events.</summary>
    [Fact]
    public void Flush_OutputKeepsSomeLines_CountsTheirEvents()
    {
        var output = new Recorder { Fails = true, KeepsBytes = 18 };
        var buffer = new OutputBuffer(output, 100);
        AddLine(buffer);
        var notice = buffer.BeginLine();
        notice.Append("a few\n"u8);
        buffer.EndNotice(notice);
        AddLine(buffer);
        AddLine(buffer);
        Should.Throw<OutputException>(buffer.Flush);

        buffer.EventsWritten.ShouldBe(2UL);
    }

    private static void AddLine(OutputBuffer buffer)
    {
        var line = buffer.BeginLine();
        line.Append("hello\n"u8);
        buffer.EndEvent(line);
    }

    private sealed class Recorder : IOutput
    {
        public List<int> Writes { get; } = [];

        public bool Fails { get; set; }

        public int KeepsBytes { get; init; }

        public void Write(ReadOnlySpan<byte> lines)
        {
            if (Fails)
                throw new OutputException("writing the output: full", closedByReader: false) { KeptBytes = KeepsBytes };
            Writes.Add(lines.Length);
        }
    }
}
