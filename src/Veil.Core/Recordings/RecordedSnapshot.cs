// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text.Json;

namespace Veil.Core.Recordings;

/// <summary>The machine when a file of a recording was begun, as <see cref="Snapshot"/> wrote it.</summary>
/// <param name="Processes">Its processes, by their ids.</param>
/// <param name="Users">Names of users, by their ids.</param>
internal sealed record RecordedSnapshot(
    IReadOnlyDictionary<uint, RecordedSnapshot.Process> Processes, IReadOnlyDictionary<uint, string> Users)
{
    /// <summary>Reads it. What is not as it should be is passed over: nothing depends on it but names.</summary>
    public static RecordedSnapshot Read(ReadOnlyMemory<byte> json)
    {
        var processes = new Dictionary<uint, Process>();
        var users = new Dictionary<uint, string>();
        try
        {
            using var document = JsonDocument.Parse(json);
            var processList = Member(document.RootElement, "processes", JsonValueKind.Array);
            foreach (var one in processList is { } list ? list.EnumerateArray() : default)
            {
                if (Number(one, "pid") is { } pid && Number(one, "ppid") is { } parent && Number(one, "uid") is { } user
                    && Member(one, "comm", JsonValueKind.String) is { } name)
                    processes[pid] = new Process(pid, parent, user, name.GetString()!);
            }

            var userList = Member(document.RootElement, "users", JsonValueKind.Object);
            foreach (var one in userList is { } list ? list.EnumerateObject() : default)
            {
                if (uint.TryParse(one.Name, NumberStyles.None, CultureInfo.InvariantCulture, out uint user)
                    && one.Value.ValueKind == JsonValueKind.String)
                    users[user] = one.Value.GetString()!;
            }
        }
        catch (Exception cause) when (cause is JsonException or InvalidOperationException)
        {
            // A lone surrogate, or no JSON at all.
        }

        return new RecordedSnapshot(processes, users);
    }

    private static JsonElement? Member(JsonElement of, string name, JsonValueKind kind) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var member) && member.ValueKind == kind ? member : null;

    private static uint? Number(JsonElement of, string name) =>
        Member(of, name, JsonValueKind.Number) is { } member && member.TryGetUInt32(out uint number) ? number : null;

    /// <summary>A process.</summary>
    /// <param name="Pid">Its id.</param>
    /// <param name="ParentPid">That of its parent, 0 for none.</param>
    /// <param name="Uid">Its user.</param>
    /// <param name="Name">Its name: up to 15 bytes.</param>
    public sealed record Process(uint Pid, uint ParentPid, uint Uid, string Name);
}
