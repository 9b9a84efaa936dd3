// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>Containers that a real runtime has made.</summary>
public sealed class ContainerTests : IDisposable
{
    private readonly string _bundle = Directory.CreateTempSubdirectory("veil-bundle-").FullName;
    private readonly string _id = $"veil-test-{Guid.NewGuid():N}";

    public void Dispose()
    {
        if (RuncFactAttribute.Exists)
            _ = Runc("delete", "--force", _id);
        Directory.Delete(_bundle, recursive: true);
    }

    [RuncFact]
    public void ListContainers_OfRunc_HasTheContainerWhileItRuns()
    {
        string program = Path.Combine(_bundle, "rootfs/hold");
        Directory.CreateDirectory(Path.Combine(_bundle, "rootfs/proc"));
        File.Copy(Repository.Workload("hold"), program);
        Runc("spec", "--bundle", _bundle).ShouldBe(0);
        string spec = Path.Combine(_bundle, "config.json");
        File.WriteAllText(
            spec, File.ReadAllText(spec).Replace("\"terminal\": true", "\"terminal\": false", StringComparison.Ordinal)
            .Replace("\"sh\"", "\"/hold\", \"0\"", StringComparison.Ordinal));
        Runc("create", "--bundle", _bundle, _id).ShouldBe(0);

        using var run = VeilRun.ToEnd("--list-containers", "--output", "json");
        var container = run.Lines.Select(static line => JsonDocument.Parse(line).RootElement)
            .Single(found => found.GetProperty("id").GetString() == _id);
        container.GetProperty("runtime").GetString().ShouldBe("runc");
        container.GetProperty("name").GetString().ShouldBe(_id);
        container.GetProperty("image").ValueKind.ShouldBe(JsonValueKind.Null);
        container.GetProperty("processes").GetInt32().ShouldBe(1);
        using var text = VeilRun.ToEnd("--list-containers");
        text.Lines[0].ShouldMatch("^RUNTIME +ID +NAME +IMAGE +POD +NAMESPACE +PROCESSES +CGROUP$");
        text.Lines.Count(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is ["runc", var id, ..] && id == _id).ShouldBe(1);

        Runc("delete", "--force", _id).ShouldBe(0);
        using var after = VeilRun.ToEnd("--list-containers", "--output", "json");
        after.Lines.ShouldNotContain(line => line.Contains(_id, StringComparison.Ordinal));
    }

    // Its container inherits the streams, and would keep a pipe of ours open.
    private static int Runc(params string[] arguments)
    {
        using var process =
            Process.Start("bash", ["-c", "exec \"$@\" </dev/null >/dev/null 2>&1", "bash", RuncFactAttribute.Path, .. arguments]);
        process.WaitForExit();
        return process.ExitCode;
    }
}
