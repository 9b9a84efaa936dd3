// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Veil.Kernel.Tests;

/// <summary>A user that makes more events than the output takes loses its own, and nobody else's; and is named.</summary>
public sealed partial class FloodTests : IDisposable
{
    // Users that the machine has not.
    private const uint Rare = 60_042;
    private const uint Flooding = 60_043;
    private const uint FloodingToo = 60_044;

    private readonly string _folder = Directory.CreateTempSubdirectory("veil-flood-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("file")]
    [InlineData("two flooders")]
    [InlineData("enrich")]
    [InlineData("gzip")]
    [InlineData("small ring")]
    public void Flood_OfAnotherUser_HidesNoneOfFourHundredCalls(string setup)
    {
        const int calls = 400;
        string file = Path.Combine(_folder, "out"), flooders = $"{Flooding},{FloodingToo}";
        string[] flags = ["-m", "syscall", "-u", $"{Rare},{flooders}", "-s", "getppid", "-o", "json", .. setup switch
        {
            "enrich" => ["--enrich", "all"],
            "small ring" => ["--buffer", "64K"],
            _ => Array.Empty<string>(),
        }];
        using var reader = setup == "gzip" ? SlowReader(file) : null;
        using var rare = Workload.Waiting("hold", $"--uid={Rare}", calls.ToString(CultureInfo.InvariantCulture));
        using var one = Workload.Waiting("burst", $"--uid={Flooding}", "1000000000");
        using var other = Workload.Waiting("burst", $"--uid={FloodingToo}", "1000000000");
        using var veil = VeilRun.AttachInto(reader is null ? file : file + ".pipe", flags);
        one.Begin();
        if (setup == "two flooders")
            other.Begin();
        rare.Go();
        one.End();
        other.End();
        veil.Stop().ShouldBe(0);
        reader?.WaitForExit();

        using var output = reader is null ? File.OpenText(file)
            : new StreamReader(new System.IO.Compression.GZipStream(File.OpenRead(file), System.IO.Compression.CompressionMode.Decompress));
        int seen = 0;
        while (output.ReadLine() is { } line)
            seen += line.Contains($"\"uid\":{Rare},", StringComparison.Ordinal) && !line.Contains("\"lost\"", StringComparison.Ordinal) ? 1
                : 0;
        veil.ShouldAccountFor(seen, calls);
        LossesOf(veil.Errors).Keys.ShouldBeSubsetOf([Flooding, FloodingToo]);
    }

    /// <summary>Two where there are CPUs for them.</summary>
    public static TheoryData<string> Rings => Veil.Bpf.KernelFeatures.PossibleCpuCount > 1 ? ["1", "2"] : ["1"];

    /// <summary>Nobody reads, and the ring is full of one user's events: others have room for some, and each loss has its user's
    /// number.</summary>
    [Theory]
    [MemberData(nameof(Rings))]
    public void Flood_ReaderThatStands_OthersHaveRoomAndLossesAreByUser(string rings)
    {
        const int calls = 50_000, few = 10, many = 5_000;
        using var flood = Workload.Waiting("burst", $"--uid={Flooding}", calls.ToString(CultureInfo.InvariantCulture), "0");
        using var rare = Workload.Waiting("burst", $"--uid={Rare}", few.ToString(CultureInfo.InvariantCulture), "0");
        using var second = Workload.Waiting("burst", $"--uid={FloodingToo}", many.ToString(CultureInfo.InvariantCulture), "0");
        using var veil =
            VeilRun.Attach(
            "-m", "syscall", "-u", $"{Rare},{Flooding},{FloodingToo}", "-s", "getppid", "-o", "json", "--buffer", "128K", "--rings", rings);
        veil.Signal("STOP");
        flood.Go();
        rare.Go();
        second.Go();
        veil.Signal("CONT");
        veil.Stop().ShouldBe(0);

        var events = veil.Events.Where(static record => !record.TryGetProperty("evt_type", out _))
            .GroupBy(static record => record.GetProperty("uid").GetUInt32())
            .ToDictionary(static group => group.Key, static group => group.LongCount());
        var losses = LossesOf(veil.Errors);
        veil.ShouldAccountFor(events[Rare], few);
        veil.ShouldAccountFor(events[Flooding] + losses[Flooding], calls);
        veil.ShouldAccountFor(events[FloodingToo] + losses[FloodingToo], many);
        losses.ShouldNotContainKey(Rare);
        // A second flood has its share of what is held back, and no more.
        events[FloodingToo].ShouldBeInRange(1, 100);
        // The stream says the same.
        var inStream = new Dictionary<uint, long>();
        foreach (var record in veil.Events.Where(static record => record.TryGetProperty("uids", out _)))
        {
            record.GetProperty("others").GetInt64().ShouldBe(0);
            foreach (var user in record.GetProperty("uids").EnumerateArray())
                inStream[user.GetProperty("uid").GetUInt32()] =
                    inStream.GetValueOrDefault(user.GetProperty("uid").GetUInt32()) + user.GetProperty("count").GetInt64();
        }

        inStream.ShouldBe(losses, ignoreOrder: true);
    }

    [Fact]
    public void Flood_Status_NamesTheUser()
    {
        using var flood = Workload.Waiting("burst", $"--uid={Flooding}", "50000");
        string path = Path.Combine(_folder, "v.sock");
        using var veil =
            VeilRun.Attach(
            "-m", "syscall", "-u", Flooding.ToString(CultureInfo.InvariantCulture), "-s", "getppid", "--buffer", "64K", "--control", path);
        using var client = new SocketClient(path);
        veil.Signal("STOP");
        flood.Go();
        veil.Signal("CONT");
        string? status;
        do
            status = client.Ask("status json");
        while (status is not null && !status.Contains("\"lost_uids\":{\"ring_full\"", StringComparison.Ordinal));
        veil.Stop().ShouldBe(0);

        using var document = JsonDocument.Parse(status.ShouldNotBeNull()[(status!.IndexOf('{', StringComparison.Ordinal))..]);
        var module = document.RootElement.GetProperty("modules")[0];
        module.GetProperty("lost_uids").GetProperty("ring_full").GetProperty(Flooding.ToString(CultureInfo.InvariantCulture)).GetInt64()
            .ShouldBe(module.GetProperty("lost").GetProperty("ring_full").GetInt64());
    }

    private static Process SlowReader(string file)
    {
        Process.Start("mkfifo", [file + ".pipe"]).WaitForExit();
        return Process.Start("bash", ["-c", "gzip < \"$1.pipe\" > \"$1\"", "bash", file]);
    }

    // Of the summary, by user.
    private static Dictionary<uint, long> LossesOf(string errors)
    {
        var losses = new Dictionary<uint, long>();
        foreach (string line in errors.Split('\n').Where(static line => line.Contains(": syscall: ring_full", StringComparison.Ordinal)))
        {
            foreach (Match user in LossOfUser().Matches(line))
                losses[uint.Parse(user.Groups["uid"].Value)] = long.Parse(user.Groups["count"].Value);
            losses.Values.Sum().ShouldBe(long.Parse(line["veil: lost ".Length..].Split(':')[0]));
        }

        return losses;
    }

    [GeneratedRegex("UID (?<uid>[0-9]+): (?<count>[0-9]+)", RegexOptions.None, 1_000)]
    private static partial Regex LossOfUser();
}
