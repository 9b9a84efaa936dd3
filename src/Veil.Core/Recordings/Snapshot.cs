// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Veil.Bpf.Interop;
using Veil.Core.Containers;
using Veil.Core.Interop;

namespace Veil.Core.Recordings;

/// <summary>The machine when a recording begins, in JSON: its processes and who their users are, its containers.</summary>
internal static class Snapshot
{
    // A block has room for more than these need.
    private const int ProcessesMax = 16_384;

    public static byte[] Take()
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            var users = new SortedSet<uint>();
            json.WriteStartArray("processes");
            foreach (string folder in KernelFile.Folders("/proc").Where(static name => char.IsAsciiDigit(name[0])).Take(ProcessesMax))
                Write(json, folder, users);
            json.WriteEndArray();
            json.WriteStartObject("users");
            foreach (uint user in users)
                json.WriteString(user.ToString(CultureInfo.InvariantCulture), NameService.UserName(user));
            json.WriteEndObject();
            json.WriteStartArray("containers");
            foreach (var container in ContainerNames.Own.HasRuntimes ? ContainerNames.Own.Running() : [])
            {
                json.WriteStartObject();
                json.WriteString("id", container.Id);
                json.WriteString("runtime", container.Runtime);
                json.WriteString("name", container.Name);
                json.WriteString("image", container.Image);
                json.WriteString("pod", container.Pod);
                json.WriteString("pod_namespace", container.PodNamespace);
                json.WriteString("cgroup", container.CgroupPath);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return bytes.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter json, string pid, SortedSet<uint> users)
    {
        string? name = null, parent = null, user = null;
        foreach (string line in KernelFile.Lines($"/proc/{pid}/status"))
        {
            string[] words = line.Split(':', 2);
            if (words is ["Name", _])
                name = words[1].Trim();
            else if (words is ["PPid", _])
                parent = words[1].Trim();
            else if (words is ["Uid", _])
                user = words[1].Split('\t', StringSplitOptions.RemoveEmptyEntries)[0];
        }

        // It may have ended meanwhile.
        if (name is null || !uint.TryParse(parent, CultureInfo.InvariantCulture, out uint ppid)
            || !uint.TryParse(user, CultureInfo.InvariantCulture, out uint uid))
            return;
        users.Add(uid);
        json.WriteStartObject();
        json.WriteNumber("pid", uint.Parse(pid, CultureInfo.InvariantCulture));
        json.WriteNumber("ppid", ppid);
        json.WriteNumber("uid", uid);
        json.WriteString("comm", name);
        json.WriteEndObject();
    }
}
