// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using System.Text.Json;

namespace Veil.Core.Containers;

/// <summary>
/// The names of podman's pods. They are in its database alone, where a pod is a JSON object in plain text; that is looked for, with what
/// stands before it, so that nothing inside of another object passes for one. What was deleted and is there still had the same name.
/// </summary>
internal static class PodmanPods
{
    private const int NameBytesMax = 1024;

    // Of bbolt, then of SQLite (podman 4.8), where the newest may be in its log.
    private static readonly string[] s_databases = ["libpod/bolt_state.db", "db.sql", "db.sql-wal"];

    /// <summary>The name of a pod; null where it is not known.</summary>
    /// <param name="folder">The files.</param>
    /// <param name="storage">Where podman keeps its own.</param>
    /// <param name="id">The pod.</param>
    public static string? NameOf(StateFolder folder, string storage, string id) =>
        s_databases.Select(file => folder.Bytes($"{storage}/{file}")).Select(bytes => bytes is null ? null : NameIn(bytes, id))
            .FirstOrDefault(static name => name is not null);

    /// <summary>The name of a pod in the bytes of a database.</summary>
    internal static string? NameIn(ReadOnlySpan<byte> database, string id)
    {
        byte[] idBytes = Encoding.UTF8.GetBytes(id), head = Encoding.UTF8.GetBytes($"{{\"id\":\"{id}\",\"name\":");
        for (int at, start = 0; (at = database[start..].IndexOf(head)) >= 0; start += at + head.Length)
        {
            var before = database[..(start + at)];
            var behind = database[(start + at + head.Length)..];
            var reader = new Utf8JsonReader(behind[..Math.Min(NameBytesMax, behind.Length)], isFinalBlock: false, default);
            if (!TryReadName(ref reader, out string name))
                continue;
            // The key of the value, or the columns before it.
            if (before.EndsWith("config"u8) || before.EndsWith((byte[])[.. idBytes, .. Encoding.UTF8.GetBytes(name)]))
                return name;
        }

        return null;
    }

    private static bool TryReadName(ref Utf8JsonReader reader, out string name)
    {
        name = "";
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.String)
                return false;
            name = reader.GetString()!;
            return name.Length > 0;
        }
        catch (Exception damaged) when (damaged is JsonException or InvalidOperationException)
        {
            return false;
        }
    }
}
