// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Veil.Core.Output;

namespace Veil.Core.Formats;

/// <summary>A sampled profile of speedscope (https://www.speedscope.app/file-format-schema.json).</summary>
internal sealed class SpeedscopeFormat : ExportFormat
{
    public override string Name => "speedscope";

    public override string Ending => ".speedscope.json";

    public override string Summary => "the same as a profile for speedscope";

    public override bool HoldsCounts => true;

    public override IExportSink Begin(ExportInput input) => new Sink(input);

    private sealed class Sink(ExportInput input) : WeightedKeys(input)
    {
        // JSON has no whole numbers above this that every reader keeps.
        private static readonly UInt128 s_exactMax = 1UL << 53;

        private readonly IOutput _output = input.Output;
        private readonly string _command = string.Join(' ', input.Description.Command);

        protected override void Write(IReadOnlyList<(string[] Frames, UInt128 Weight)> rows)
        {
            var frames = new Dictionary<string, int>(StringComparer.Ordinal);
            foreach (var (names, _) in rows)
            {
                foreach (string name in names)
                    frames.TryAdd(name, frames.Count);
            }

            var bytes = new ArrayBufferWriter<byte>();
            using (var json = new Utf8JsonWriter(bytes, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            {
                json.WriteStartObject();
                json.WriteString("$schema", "https://www.speedscope.app/file-format-schema.json");
                json.WriteString("exporter", "veil");
                json.WriteString("name", _command);
                json.WriteStartObject("shared");
                json.WriteStartArray("frames");
                foreach (string name in frames.Keys)
                {
                    json.WriteStartObject();
                    json.WriteString("name", name);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                json.WriteEndObject();
                json.WriteStartArray("profiles");
                Profile(json, rows, frames);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            _output.Write(bytes.WrittenSpan);
        }

        private void Profile(Utf8JsonWriter json, IReadOnlyList<(string[] Frames, UInt128 Weight)> rows, Dictionary<string, int> frames)
        {
            UInt128 sum = 0;
            foreach (var (_, weight) in rows)
                sum += weight;
            json.WriteStartObject();
            json.WriteString("type", "sampled");
            json.WriteString("name", $"{WeightName} by {KeyNames}");
            json.WriteString("unit", IsTime ? "nanoseconds" : IsSize ? "bytes" : "none");
            json.WriteNumber("startValue", 0);
            Number(json, "endValue", sum);
            json.WriteStartArray("samples");
            foreach (var (names, _) in rows)
            {
                json.WriteStartArray();
                foreach (string name in names)
                    json.WriteNumberValue(frames[name]);
                json.WriteEndArray();
            }

            json.WriteEndArray();
            json.WriteStartArray("weights");
            foreach (var (_, weight) in rows)
                Number(json, null, weight);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        private static void Number(Utf8JsonWriter json, string? name, UInt128 value)
        {
            if (name is not null)
                json.WritePropertyName(name);
            if (value <= s_exactMax)
                json.WriteNumberValue((ulong)value);
            else
                json.WriteNumberValue((double)value);
        }
    }
}
