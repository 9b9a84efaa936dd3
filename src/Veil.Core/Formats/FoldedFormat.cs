// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Output;

namespace Veil.Core.Formats;

/// <summary>Folded stacks: frames with semicolons between them, a blank, the weight; a line each.</summary>
internal sealed class FoldedFormat : ExportFormat
{
    public override string Name => "folded";

    public override string Ending => ".folded";

    public override string Summary => "keys and weights as folded stacks, for flamegraph.pl and its kin";

    public override bool HoldsCounts => true;

    public override IExportSink Begin(ExportInput input) => new Sink(input);

    private sealed class Sink(ExportInput input) : WeightedKeys(input)
    {
        private readonly IOutput _output = input.Output;

        protected override void Write(IReadOnlyList<(string[] Frames, UInt128 Weight)> rows)
        {
            var text = new StringBuilder();
            foreach (var (frames, weight) in rows)
            {
                text.AppendJoin(';', frames.Select(static frame => frame.Replace(';', ':').ReplaceLineEndings(" ")));
                text.Append(' ').Append(weight).Append('\n');
            }

            _output.Write(Encoding.UTF8.GetBytes(text.ToString()));
        }
    }
}
