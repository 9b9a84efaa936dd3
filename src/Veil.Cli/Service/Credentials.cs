// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core;
using Veil.Core.Text;

namespace Veil.Cli.Service;

/// <summary>Secrets that the service manager hands over as files (systemd.exec(5), <c>LoadCredential=</c>).</summary>
internal static class Credentials
{
    private const string HeadersVariable = "OTEL_EXPORTER_OTLP_HEADERS";
    private const string HeadersName = "otlp-headers";
    private const int BytesMax = 64 * 1024;

    private static string? Folder => Environment.GetEnvironmentVariable("CREDENTIALS_DIRECTORY") is { Length: > 0 } folder ? folder : null;

    /// <summary>A file that is named without a folder is looked for among the credentials first.</summary>
    public static string Find(string file) => Find(file, Folder);

    /// <summary>The same among those in a folder, or none.</summary>
    internal static string Find(string file, string? folder) =>
        folder is not null && !file.Contains('/', StringComparison.Ordinal) && File.Exists(Path.Combine(folder, file))
            ? Path.Combine(folder, file) : file;

    /// <summary>A variable of the environment; the headers of OTLP are also the credential <c>otlp-headers</c>.</summary>
    /// <exception cref="UsageException">It is there, and cannot be read.</exception>
    public static string? Variable(string name) =>
        Environment.GetEnvironmentVariable(name) ?? (name == HeadersVariable ? Headers(Folder) : null);

    /// <summary>What the credential <c>otlp-headers</c> in a folder holds, or nothing.</summary>
    internal static string? Headers(string? folder)
    {
        string file = Find(HeadersName, folder);
        if (file == HeadersName)
            return null;
        try
        {
            return new FileInfo(file).Length <= BytesMax ? File.ReadAllText(file).Trim()
                : throw new UsageException($"--otlp: {Escaping.ForMessage(file)}: more than {BytesMax} bytes are no headers");
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--otlp: {Escaping.ForMessage(file)}: {Escaping.ForMessage(cause.Message)}");
        }
    }
}
