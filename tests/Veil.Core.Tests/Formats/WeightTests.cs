// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using System.Text.Json;
using Veil.Core.Counting;
using Veil.Core.Formats;

namespace Veil.Core.Tests.Formats;

/// <summary>Keys and weights of the golden recording, beside what its golden lines of JSON come to.</summary>
public sealed class WeightTests
{
    private static readonly CountOptions s_byNameAndCall = new(["comm", "syscall"], null, null, null, CountOptions.DefaultKeys);

    [Fact]
    public void Folded_GoldenRecording_HasTheSameCounts() =>
        Encoding.UTF8.GetString(ExportedRecording.Of(new FoldedFormat(), s_byNameAndCall))
            .ShouldBe(string.Concat(Expected().Select(static row => $"{row.Comm};{row.Call} {row.Count}\n")));

    [Fact]
    public void Folded_MoreKeysThanThereIsRoomFor_AreTogether()
    {
        string[] lines = Encoding.UTF8.GetString(ExportedRecording.Of(new FoldedFormat(), s_byNameAndCall with { Keys = 3 }))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Length.ShouldBe(4);
        lines[^1].ShouldStartWith("(others) ");
        lines.Sum(static line => int.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture))
            .ShouldBe(Expected().Sum(static row => row.Count));
    }

    [Fact]
    public void Speedscope_GoldenRecording_HasTheSameCounts()
    {
        using var document = JsonDocument.Parse(ExportedRecording.Of(new SpeedscopeFormat(), s_byNameAndCall));
        var root = document.RootElement;
        string[] frames = [.. root.GetProperty("shared").GetProperty("frames").EnumerateArray().Select(static frame => frame.GetProperty("name").GetString()!)];
        var profile = root.GetProperty("profiles")[0];
        var samples = profile.GetProperty("samples").EnumerateArray().Select(
            sample => string.Join(';', sample.EnumerateArray().Select(frame => frames[frame.GetInt32()])));
        var weights = profile.GetProperty("weights").EnumerateArray().Select(static weight => weight.GetInt32());
        samples.Zip(weights).Select(static pair => $"{pair.First} {pair.Second}").ShouldBe(
            Expected().Select(static row => $"{row.Comm};{row.Call} {row.Count}"));
        profile.GetProperty("endValue").GetInt32().ShouldBe(Expected().Sum(static row => row.Count));
        profile.GetProperty("unit").GetString().ShouldBe("none");
    }

    private static List<(string Comm, string Call, int Count)> Expected() =>
        [.. GoldenLines().GroupBy(static line => (Comm: line.GetProperty("comm").GetString()!, Call: line.GetProperty("syscall").GetString()!))
            .Select(static group => (group.Key.Comm, group.Key.Call, group.Count()))
            .OrderBy(static row => row.Comm, StringComparer.Ordinal).ThenBy(static row => row.Call, StringComparer.Ordinal)];

    private static IEnumerable<JsonElement> GoldenLines() =>
        File.ReadLines(Path.ChangeExtension(ExportedRecording.Golden, ".json")).Select(static line => JsonDocument.Parse(line).RootElement)
            .Where(static line => line.TryGetProperty("syscall", out _));
}
