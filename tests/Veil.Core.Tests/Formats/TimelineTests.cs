// SPDX-License-Identifier: GPL-3.0-only
using System.Text.Json;
using System.Text.RegularExpressions;
using Veil.Core.Formats;

namespace Veil.Core.Tests.Formats;

/// <summary>Time lines, as others read them: JSON, and protobuf by Debian's protoc with Perfetto's public definitions.</summary>
public sealed class TimelineTests
{
    private const int Read = 0, Write = 1;

    [Fact]
    public void Chrome_GoldenRecording_IsTheGoldenFile() =>
        Golden.Check("version-1.trace.json", System.Text.Encoding.UTF8.GetString(ExportedRecording.Of(new ChromeFormat())));

    [ProtocFact]
    public void Perfetto_GoldenRecording_IsTheGoldenFile()
    {
        string text = ExportedRecording.Decode(ExportedRecording.Of(new PerfettoFormat()));
        Golden.Check("version-1.perfetto.txt", text);
        // A field that the definitions do not have stands there as its number.
        Regex.IsMatch(text, @"^\s*\d+[: ]", RegexOptions.Multiline | RegexOptions.NonBacktracking).ShouldBeFalse();
    }

    [Fact]
    public void Chrome_CallInsideAnother_StaysOnTheThread()
    {
        var events = Chrome(("a", 1, 1, Write, 20, 30), ("a", 1, 1, Read, 10, 40));
        events.Select(static one => $"{one.Phase} {one.Name} {one.Start} {one.Duration}").ShouldBe(["X write 0.020 0.010", "X read 0.010 0.030"]);
    }

    [Fact]
    public void Chrome_CallsThatOverlap_GetALaneOfTheirOwn()
    {
        var events = Chrome(("a", 1, 1, Read, 10, 30), ("a", 1, 1, Write, 20, 40), ("a", 1, 1, Read, 40, 50));
        events.Select(static one => $"{one.Phase} {one.Name} {one.Start}")
            .ShouldBe(["X read 0.010", "b write 0.020", "e write 0.040", "X read 0.040"]);
    }

    [Fact]
    public void Chrome_OuterCallThatBeginsWithTheInner_IsApart()
    {
        var events = Chrome(("a", 1, 1, Write, 10, 20), ("a", 1, 1, Read, 10, 30));
        events.Select(static one => one.Phase).ShouldBe(["X", "b", "e"]);
    }

    [Fact]
    public void Chrome_CallsOfOtherThreads_OverlapFreely() =>
        Chrome(("a", 1, 1, Read, 10, 30), ("b", 1, 2, Read, 20, 40)).ShouldAllBe(static one => one.Phase == "X");

    [Fact]
    public void Chrome_HostileName_IsJson()
    {
        using var document = JsonDocument.Parse(ExportedRecording.OfCalls(new ChromeFormat(), ("\"}]\n\u001b[2J", 7, 7, Read, 10, 20)));
        var names = document.RootElement.GetProperty("traceEvents").EnumerateArray()
            .Where(static one => one.GetProperty("ph").GetString() == "M").Select(static one => one.GetProperty("args").GetProperty("name").GetString());
        names.ShouldBe(["\"}]\n\u001b[2J", "\"}]\n\u001b[2J"]);
    }

    [ProtocFact]
    public void Perfetto_Call_IsASliceOnItsThread()
    {
        string text = ExportedRecording.Decode(ExportedRecording.OfCalls(new PerfettoFormat(), ("nginx", 812, 813, Read, 1_000, 1_500)));
        string[] packets = Packets(text);
        packets[^4].ShouldBe("trusted_packet_sequence_id: 1 sequence_flags: 2 track_descriptor { uuid: 1 process { pid: 812 process_name: \"nginx\" } }");
        packets[^3].ShouldBe(
            "trusted_packet_sequence_id: 1 sequence_flags: 2 track_descriptor { uuid: 2 thread { pid: 812 tid: 813 thread_name: \"nginx\" } parent_uuid: 1 }");
        packets[^2].ShouldStartWith("timestamp: 1000 trusted_packet_sequence_id: 1 track_event { category_iids: 1 ");
        packets[^2].ShouldContain("type: TYPE_SLICE_BEGIN name_iid: 1 track_uuid: 2 ");
        packets[^2].ShouldContain("event_categories { iid: 1 name: \"syscall\" } event_names { iid: 1 name: \"read\" }");
        packets[^1].ShouldBe(
            "timestamp: 1500 trusted_packet_sequence_id: 1 track_event { type: TYPE_SLICE_END track_uuid: 2 } sequence_flags: 2");
    }

    /// <summary>Every name is told before it is meant by its number, and once.</summary>
    [ProtocFact]
    public void Perfetto_ManyCalls_TellEachNameOnce()
    {
        var calls = Enumerable.Range(0, 300).Select(static i => ("a", 1u, 1u, i, (ulong)(10 * i), (ulong)(10 * i) + 5)).ToArray();
        string text = ExportedRecording.Decode(ExportedRecording.OfCalls(new PerfettoFormat(), calls));
        var told = new HashSet<string>();
        int used = 0;
        foreach (string packet in Packets(text))
        {
            foreach (Match name in Regex.Matches(packet, @"event_names \{ iid: (?<iid>\d+) ", RegexOptions.NonBacktracking))
                told.Add(name.Groups["iid"].Value).ShouldBeTrue(packet);
            if (Regex.Match(packet, @"name_iid: (?<iid>\d+) track_uuid", RegexOptions.NonBacktracking) is { Success: true } match)
            {
                told.ShouldContain(match.Groups["iid"].Value);
                used++;
            }
        }

        used.ShouldBe(300);
        told.Count.ShouldBe(300);
    }

    private static List<(string Phase, string Name, string Start, string Duration)> Chrome(
        params (string Comm, uint Pid, uint Tid, int Call, ulong Start, ulong End)[] calls)
    {
        using var document = JsonDocument.Parse(ExportedRecording.OfCalls(new ChromeFormat(), calls));
        return
            [.. document.RootElement.GetProperty("traceEvents").EnumerateArray().Where(static one => one.GetProperty("ph").GetString() != "M").Select(
                static one => (
                    one.GetProperty("ph").GetString()!, one.GetProperty("name").GetString()!, one.GetProperty("ts").GetRawText(),
                    one.TryGetProperty("dur", out var duration) ? duration.GetRawText() : ""))];
    }

    // Each on one line, without its braces.
    private static string[] Packets(string text) =>
        [.. text.Split("packet {\n", StringSplitOptions.RemoveEmptyEntries)
            .Select(static packet => Regex.Replace(packet[..packet.LastIndexOf('}')], @"\s+", " ", RegexOptions.NonBacktracking).Trim())];
}
