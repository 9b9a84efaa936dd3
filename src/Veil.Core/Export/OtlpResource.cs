// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;
using Veil.Core.Containers;

namespace Veil.Core.Export;

/// <summary>Who sends (<c>opentelemetry.proto.resource.v1.Resource</c>), and as what (<c>InstrumentationScope</c>).</summary>
internal static class OtlpResource
{
    private const int AttributesField = 1;
    private const int ScopeNameField = 1;
    private const int ScopeVersionField = 2;

    /// <summary>This machine and this program; what the environment says goes before that.</summary>
    /// <param name="version">The version of this program.</param>
    /// <param name="given"><c>OTEL_RESOURCE_ATTRIBUTES</c>.</param>
    /// <param name="serviceName"><c>OTEL_SERVICE_NAME</c>.</param>
    public static byte[] Make(string version, IReadOnlyList<KeyValuePair<string, string>> given, string? serviceName)
    {
        var attributes = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["service.name"] = "veil",
            ["service.version"] = version,
            ["host.name"] = Environment.MachineName,
            ["host.arch"] = RuntimeInformation.OSArchitecture == Architecture.X64 ? "amd64"
                : RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant(),
            ["os.type"] = "linux",
            ["os.version"] = LineOf("/proc/sys/kernel/osrelease"),
            ["host.id"] = LineOf("/etc/machine-id"),
        };
        if (ContainerPlace.Find(LineOf("/proc/self/cgroup").Split(':')[^1]) is { Id: { } id })
            attributes["container.id"] = id;
        foreach (var (key, value) in given)
            attributes[key] = value;
        if (serviceName is not null)
            attributes["service.name"] = serviceName;
        var resource = new ProtoBuffer(1024);
        foreach (var (key, value) in attributes.Where(static attribute => attribute.Value.Length > 0))
            OtlpValue.Text(resource, AttributesField, Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(value));
        return resource.Written.ToArray();
    }

    /// <summary>The scope.</summary>
    public static byte[] Scope(string version)
    {
        var scope = new ProtoBuffer(64);
        scope.Bytes(ScopeNameField, "veil"u8);
        scope.Bytes(ScopeVersionField, Encoding.UTF8.GetBytes(version));
        return scope.Written.ToArray();
    }

    private static string LineOf(string path)
    {
        try
        {
            return File.ReadLines(path).FirstOrDefault()?.Trim() ?? "";
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
